/** The shapes of the blocks by the metadata of a GGUF file and the names of its tensors. */
import { counted } from '../../../format/words';
import { MAX_DIMENSION } from '../../formats/limits';
import type { LayerShape, LinearName } from '../architecture';
import type { Unsupported } from '../types';
import { ggufLayer } from './shapes';
import type { Dialect } from './dialects/dialect';
import { FFN_WIDTH, readFileExperts } from './experts';
import type { GgufFields } from './fields';
import { GGUF_BLOCK_NAMES } from './names';
import { readRotations } from './rotation';
import { readWindows } from './windows';

/** The weights of a block that say what it has, by the end of their names. */
const OPTIONAL_BIASES = (['q', 'k', 'v', 'o', 'gate', 'up', 'down'] as const).map(
  (linear) => [linear, GGUF_BLOCK_NAMES[`${linear}Bias`]] as const,
);

export interface GgufLayers {
  readonly layers: readonly LayerShape[];
  /** What the scores are multiplied by beside the factor of the architecture. */
  readonly scores: number;
  readonly notes: readonly string[];
}

interface Described {
  readonly blocks: number;
  readonly hidden: number;
  /** Whether the file has a tensor. */
  readonly has: (name: string) => boolean;
  readonly factors: ReadonlyMap<string, readonly number[]>;
}

/** @throws UserError that names a key which is missing or impossible */
export function readLayers(fields: GgufFields, dialect: Dialect, described: Described): GgufLayers | Unsupported {
  const { blocks, hidden, factors } = described;
  const { fused = false, qkNorm } = dialect;
  const heads = fields.counts('attention.head_count', blocks, MAX_DIMENSION.heads);
  const kvHeads = fields.counts('attention.head_count_kv', blocks, MAX_DIMENSION.heads, {
    fallback: heads,
    least: dialect.mixer?.listed ? 0 : 1,
  });
  const others = dialect.mixer?.read(fields, { hidden, kvHeads }) ?? [];
  const attending = others.length === 0 ? 0 : others.findIndex((other) => !other || other.kind === 'parallel');
  if (attending === -1) return { why: 'no block of it has attention', action: 'The file can be inspected.' };
  const ffn = fields.counts(dialect.experts?.width ?? FFN_WIDTH, blocks, MAX_DIMENSION.ffn);
  const experts = readFileExperts(dialect, fields);
  const headDim = fields.count('attention.key_length', MAX_DIMENSION.headDim, Math.floor(hidden / heads[0]));
  const { windows, notes } = readWindows(fields, dialect, blocks);
  const rotations = readRotations(fields, dialect, { headDim, windows, factors });
  if ('why' in rotations) return rotations;
  const layers: LayerShape[] = [];
  for (let block = 0; block < blocks; block++) {
    const other = others[block];
    // The settings of attention are not used where a block has none.
    const own = kvHeads[block] || kvHeads[attending];
    if (heads[block] % own !== 0) {
      const shared = `${counted(own, 'key-value head')} of block ${block} cannot be shared by`;
      throw fields.bad(fields.key('attention.head_count_kv'), `${shared} ${counted(heads[block], 'query head')}`);
    }
    const has = (end: string): boolean => described.has(`blk.${block}.${end}`);
    if (!other && has(GGUF_BLOCK_NAMES.qkv) !== fused) return oddlyFused(block, fused);
    layers.push(
      ggufLayer({
        heads: heads[block],
        kvHeads: own,
        headDim,
        ffn: ffn[block],
        window: windows[block],
        rope: rotations.ropes[block],
        biases: fused ? [] : biasesOf(has),
        qkNorm: qkNorm ?? (has(GGUF_BLOCK_NAMES.qNorm) ? 'head' : null),
        fused,
        ...(experts && { experts }),
        ...(dialect.gated && { gated: true }),
        ...(other && { other }),
      }),
    );
  }
  return { layers, scores: rotations.scores, notes: [...notes, ...rotations.notes] };
}

const biasesOf = (has: (end: string) => boolean): LinearName[] =>
  OPTIONAL_BIASES.filter(([, end]) => has(end)).map(([linear]) => linear);

function oddlyFused(block: number, fused: boolean): Unsupported {
  const how = fused ? 'has no tensor with queries, keys and values' : 'has queries, keys and values in one tensor';
  return { why: `block ${block} ${how} (blk.${block}.${GGUF_BLOCK_NAMES.qkv})`, action: 'The file can be inspected.' };
}
