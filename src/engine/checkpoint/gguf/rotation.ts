/**
 * The rotation of each block in a GGUF file. A file has one factor of cosines and sines (`rope.scaling.attn_factor`). Where the
 * scaling does not account for it, the scores are greater by its square; so it also says another factor of the scores.
 */
import { isDeepStrictEqual } from 'node:util';
import type { GgufField } from '../../formats/gguf/layout';
import { bool, f32 } from '../../formats/gguf/values';
import { MAX_DIMENSION } from '../../formats/limits';
import type { Rope } from '../architecture';
import type { GgufArchitecture, GgufShape } from './shapes';
import { magnitudeOf } from '../frequencies';
import type { Unsupported } from '../types';
import { cannotWrite, INSTEAD, shared } from './cannot';
import type { Dialect } from './dialects/dialect';
import type { GgufFields } from './fields';
import { readScaling, unsupported, withFactor, writeScaling, yarnMagnitude, yarnNotes } from './scaling';

const BASE = 'rope.freq_base';
const LOCAL_BASE = 'rope.freq_base_swa';
export const FACTOR = 'rope.scaling.attn_factor';

/** False where no block rotates, in the dialects that have such models. */
const ROTATES = 'rope.scaling.finetuned';

/** Of as many blocks the last one does not rotate in a dialect that skips some. */
const PERIOD = 4;

const isSkipped = (block: number): boolean => (block + 1) % PERIOD === 0;

/** The rotation of each block, and what cosines multiply the scores by. */
export interface Rotations {
  readonly ropes: readonly (Rope | null)[];
  readonly scores: number;
  readonly notes: readonly string[];
}

interface Rotated {
  readonly headDim: number;
  /** One for each block. */
  readonly windows: readonly (number | null)[];
  /** Divisors of the frequencies by the names of their tensors. */
  readonly factors: ReadonlyMap<string, readonly number[]>;
}

/** @throws UserError for a number that is missing or impossible */
export function readRotations(
  fields: GgufFields,
  dialect: Dialect,
  { headDim, windows, factors }: Rotated,
): Rotations | Unsupported {
  const { skips, local, none } = dialect.rotation ?? {};
  if (none && fields.optional(fields.key(ROTATES)) === false)
    return { ropes: windows.map(() => null), scores: 1, notes: [] };
  const turned = readTurned(fields, dialect, headDim);
  if (typeof turned !== 'number') return turned;
  const theta = fields.number(BASE, 10_000);
  const scaling = readScaling(fields, dialect, factors, theta);
  if ('why' in scaling) return scaling;
  const factor = fields.number(FACTOR, 1);
  const scaled = dialect.scoresByCosines ? undefined : withFactor(fields, scaling, factor);
  const global = { theta, scaling: scaled ?? scaling, ...(turned !== headDim && { turned }) };
  const scores = scaled ? 1 : factor ** 2;
  const ropes = windows.map((window, block) => {
    if (skips && isSkipped(block)) return null;
    if (!local || window === null) return global;
    return { theta: fields.number(LOCAL_BASE, 10_000), scaling: { kind: 'default' } } as const;
  });
  if (scores !== 1 && (turned !== headDim || ropes.includes(null))) {
    return unsupported(`${fields.key(FACTOR)} is ${factor}, and a part of it is not rotated`);
  }
  return { ropes, scores, notes: scaling.kind === 'yarn' ? yarnNotes(fields) : [] };
}

/** Entries of a head that turn. */
function readTurned(fields: GgufFields, { rotation }: Dialect, headDim: number): number | Unsupported {
  if (headDim % 2 !== 0)
    throw fields.bad(fields.key('attention.key_length'), `a head of ${headDim} is not rotated in pairs`);
  const width = fields.count('attention.value_length', MAX_DIMENSION.headDim, headDim);
  if (width !== headDim) return unsupported(`its values have ${width} numbers a head, and its keys ${headDim}`);
  const turned = fields.count('rope.dimension_count', MAX_DIMENSION.headDim, headDim);
  if (turned === headDim) return turned;
  if (!rotation?.partial || turned > headDim || turned % 2 !== 0) {
    return unsupported(`only ${turned} of the ${headDim} numbers of a head are rotated`);
  }
  return turned;
}

/** What a file says that does not rotate. */
const UNUSED: Rope = { theta: 10_000, scaling: { kind: 'default' } };

/** What a file says of the rotations. */
export interface WrittenRotation {
  /** Of the blocks without a window, where others have another one. */
  readonly rope: Rope;
  /** Without the name of the architecture. */
  readonly fields: readonly GgufField[];
  /** Divisors of the frequencies, one for each pair, by the names of their tensors. */
  readonly factors: ReadonlyMap<string, readonly number[]>;
  readonly notes: readonly string[];
}

/** Float32 has no finer numbers. */
const ROUNDING = 1e-7;

/**
 * @param scores what the scores are to be multiplied by in addition
 * @throws UserError for rotations that the dialect does not have
 */
export function writeRotation(
  dialect: Dialect,
  { layers }: Pick<GgufArchitecture, 'layers'>,
  scores: number,
): WrittenRotation {
  if (dialect.rotation?.none && layers.every(({ rope }) => rope === null))
    return { rope: UNUSED, fields: [[ROTATES, bool(false)]], factors: new Map(), notes: [] };
  const { rope, local } = sharedRope(dialect, layers);
  const { fields = [], factors = {}, notes = [], magnitude = 1 } = writeScaling(dialect, rope, layers[0].headDim);
  const factor = (magnitudeOf(rope) / magnitude) * Math.sqrt(scores);
  const sections = dialect.rotation?.sections?.(rope.turned ?? layers[0].headDim);
  return {
    rope,
    fields: [
      ...fields,
      ...(sections
        ? [['rope.dimension_sections', { type: 'array', of: 'i32', values: [...sections, 0] }] as const]
        : []),
      ...(Math.abs(factor - 1) > ROUNDING ? [[FACTOR, f32(factor)] as const] : []),
      ...(local === undefined ? [] : [[LOCAL_BASE, f32(local)] as const]),
    ],
    factors: new Map(Object.entries(factors)),
    notes,
  };
}

/** The rotation that a file describes, and the base of the blocks with a window if they have their own. */
interface SharedRope {
  readonly rope: Rope;
  readonly local?: number;
}

function sharedRope({ name, rotation }: Dialect, layers: readonly GgufShape[]): SharedRope {
  if (rotation?.skips) return { rope: rotatedByNumber(layers) };
  if (rotation?.local) return localAndGlobal(layers);
  const rope = shared(layers, 'rope', 'different rotations');
  if (rope === null)
    throw cannotWrite(
      `it does not rotate queries and keys, and llama.cpp’s architecture ${name} does, whatever a file says`,
    );
  return { rope };
}

/** llama.cpp leaves out the rotation of every fourth block, whatever a file says. */
function rotatedByNumber(layers: readonly GgufShape[]): Rope {
  const odd = layers.findIndex(({ rope }, block) => (rope === null) !== isSkipped(block));
  const ropes = layers.flatMap(({ rope }) => (rope === null ? [] : [rope]));
  if (odd === -1 && ropes.every((rope) => isDeepStrictEqual(rope, ropes[0]))) return ropes[0];
  if (odd === -1) throw cannotWrite('its blocks have different rotations');
  const does = layers[odd].rope === null ? 'does not rotate' : 'rotates';
  throw cannotWrite(
    `its block ${odd} ${does} queries and keys, and llama.cpp leaves the rotation out of blocks 3, 7, 11 and so on, ` +
      'whatever a file says',
    `Remove blocks so that the others keep that order, for example four in a row. ${INSTEAD}`,
  );
}

/** Blocks with a window turn by a base of their own, without scaling. */
function localAndGlobal(layers: readonly GgufShape[]): SharedRope {
  const ropesWhere = (slides: boolean): (Rope | null)[] =>
    layers.flatMap(({ rope, window }) => ((window !== null) === slides ? [rope] : []));
  const [locals, globals] = [ropesWhere(true), ropesWhere(false)];
  const [local, global] = [locals.at(0) ?? globals[0], globals.at(0) ?? locals[0]];
  const same = (rope: Rope | null, ropes: readonly (Rope | null)[]): rope is Rope =>
    rope !== null && ropes.every((each) => isDeepStrictEqual(each, rope));
  if (!same(local, locals) || !same(global, globals)) throw cannotWrite('its blocks have different rotations');
  if (locals.length === 0) return { rope: global };
  if (local.scaling.kind !== 'default') {
    throw cannotWrite('the rotation of its blocks with a window is scaled, which llama.cpp does not do there');
  }
  if (!hasUsualMagnitude(global)) {
    throw cannotWrite('yarn’s factor of cosines is not the usual one, and llama.cpp would use it in all blocks');
  }
  return { rope: global, local: local.theta };
}

/** Whether the factor of cosines and sines is the one that llama.cpp takes by itself. */
const hasUsualMagnitude = (rope: Rope): boolean => {
  const usual = rope.scaling.kind === 'yarn' ? yarnMagnitude(rope.scaling.factor) : 1;
  return Math.abs(magnitudeOf(rope) / usual - 1) <= ROUNDING;
};
