/** The models of a pair as they ship: each is written once into a passing folder, in its type, and read from there. */
import { readdir, stat, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { isGgufCheckpoint } from '../../engine/checkpoint/gguf/name';
import { openCheckpoint, requireArchitecture } from '../../engine/checkpoint/open';
import { blockBytes, usedBytes } from '../../engine/checkpoint/reduction';
import { usedTensors } from '../../engine/checkpoint/used-tensors';
import { keysByName } from '../../engine/checkpoint/weight-key';
import type { Checkpoint } from '../../engine/checkpoint/types';
import { parametersOf } from '../../engine/checkpoint/parameters';
import type { WrittenText } from '../../engine/draft/places';
import {
  BITS,
  type HeldType,
  ONNX_KIND,
  type Runtime,
  RUNTIME_FACTS,
  TRIVIAL_TYPES,
} from '../../engine/draft/runtimes';
import type { JobOptions } from '../../engine/progress';
import { onnxFile } from '../../engine/verify/verify-onnx';
import { ONNX_FOLDER } from '../../engine/write/onnx/kinds';
import { SELF } from '../healing-amounts';
import type { OptionsFor } from '../kinds';
import type { JobContext } from '../run';

type Options = OptionsFor<'draft'>;

/** A model of a pair, before it is written. */
export interface Made {
  readonly name: string;
  /** What it is made of. */
  readonly checkpoint: string;
  /** The same, as it was given; null for the target itself. */
  readonly model: string | null;
  readonly removed: readonly (number | string)[];
  /** File of healed weights, or "self". */
  readonly heal?: string;
  readonly type: HeldType;
  /** Whether it is the whole target in fewer bits. */
  readonly trivial: boolean;
}

/** The same in a file for the program, or in a folder. */
export interface Shipped extends Made {
  readonly path: string;
  /** The file of an ONNX model; the same as `path` for other formats. */
  readonly file: string;
  readonly healed: boolean;
  /** File of the healed weights that are in it. */
  readonly patch?: string;
  /** Whether it was written for this run, into the passing folder. */
  readonly isWritten: boolean;
  /** Of its weights. */
  readonly bytes: number;
}

/** The model whose text it is. */
export const targetOf = ({ checkpoint, for: runtime, targetType }: Options): Made => ({
  name: basename(resolve(checkpoint)),
  checkpoint,
  model: null,
  removed: [],
  type: targetType ?? RUNTIME_FACTS[runtime].usual,
  trivial: false,
});

/** The drafts that are asked for, and the target in fewer bits, which is the bar for the others. */
export function draftsOf(options: Options, target: Checkpoint): Made[] {
  const { checkpoint, drafts = [], for: runtime, remove = [], heal, type, costs } = options;
  const { types, usual } = RUNTIME_FACTS[runtime];
  const own = targetOf(options).type;
  const named: Made[] = [];
  if ([options.remove, heal, type].some((each) => each !== undefined)) {
    const held = type ?? own;
    const words = [
      ...(remove.length > 0 ? [`without ${rangesIn(remove)}`] : []),
      ...(heal === undefined ? [] : ['healed']),
      ...(held === 'stored' && (remove.length > 0 || heal !== undefined) ? [] : [held]),
    ];
    const trivial = remove.length === 0 && heal === undefined;
    named.push({ name: words.join(', '), checkpoint, model: null, removed: remove, heal, type: held, trivial });
  }
  for (const path of drafts) {
    named.push({
      name: basename(resolve(path)),
      ...{ checkpoint: path, model: path, removed: [], trivial: false },
      type: types.includes('f32') && usual === 'f32' ? 'f32' : 'stored',
    });
  }
  // Costs from a file are those of the draft that is named.
  if (costs !== undefined && named.length > 0) return named;
  const bits = own === 'stored' ? bitsOf(target) : BITS[own];
  const trivial = TRIVIAL_TYPES.filter((each) => types.includes(each) && BITS[each] < bits * SMALLER);
  const bar = trivial.map((each): Made => ({
    name: each,
    checkpoint,
    model: null,
    removed: [],
    type: each,
    trivial: true,
  }));
  return [...named, ...bar.filter(({ name }) => named.every((other) => other.name !== name))];
}

/** A type that saves less is not smaller. */
const SMALLER = 0.97;

const bitsOf = (checkpoint: Checkpoint): number =>
  (8 * usedBytes(checkpoint, () => true)) / parametersOf(requireArchitecture(checkpoint));

/** [13, 14, 15, "20.ffn"]: "13-15, 20.ffn" */
function rangesIn(parts: readonly (number | string)[]): string {
  const words: string[] = [];
  let from: number | undefined;
  for (const [i, part] of parts.entries()) {
    if (typeof part === 'string') words.push(part);
    else {
      from ??= part;
      if (parts[i + 1] === part + 1) continue;
      words.push(from === part ? String(part) : `${from}-${part}`);
      from = undefined;
    }
  }
  return words.join(', ');
}

/** Share of the head in the bytes of weights that a pass reads. */
export function headShareOf(checkpoint: Checkpoint): number {
  const architecture = requireArchitecture(checkpoint);
  const keys = keysByName(architecture);
  const key = architecture.tied ? 'embed' : 'head';
  const head = usedTensors(checkpoint).reduce((sum, { name, bytes }) => sum + (keys.get(name) === key ? bytes : 0), 0);
  const blocks = blockBytes(checkpoint).reduce((sum, bytes) => sum + bytes, 0);
  return head / (head + blocks);
}

export interface Shipping {
  readonly runtime: Runtime;
  /** A passing folder. */
  readonly folder: string;
  /** Text of the target that healing may read. */
  readonly texts: readonly WrittenText[];
}

/**
 * Writes a model as it ships. One that is so already stays where it is.
 * @throws UserError when it cannot be written in that type; CancelledError
 */
export async function ship(made: Made, shipping: Shipping, context: JobContext, job: JobOptions): Promise<Shipped> {
  const { checkpoint, removed, type } = made;
  const { runtime, folder } = shipping;
  const { format } = RUNTIME_FACTS[runtime];
  const heal = made.heal === SELF ? await healOn(made, shipping, context, job) : made.heal;
  const isPlain = type === 'stored' && removed.length === 0 && heal === undefined;
  const source = await openCheckpoint(checkpoint);
  if (isPlain && format !== 'onnx' && isGgufCheckpoint(source) === (format === 'gguf')) {
    return {
      ...made,
      path: checkpoint,
      file: checkpoint,
      healed: false,
      isWritten: false,
      bytes: usedBytes(source, () => true),
    };
  }
  const name = `model-${(await readdir(folder)).length}`;
  const out = join(folder, format === 'gguf' ? `${name}.gguf` : name);
  const types = type === 'stored' ? undefined : [format === 'onnx' ? ONNX_KIND[type]! : type];
  await context.run(
    'export',
    { checkpoint, remove: [...removed], heal, format, type: types, out, verify: false },
    { job },
  );
  const file = format === 'onnx' ? onnxFile(out, ONNX_KIND[type]!) : out;
  return {
    ...made,
    path: out,
    file,
    healed: heal !== undefined,
    patch: heal,
    isWritten: true,
    bytes: await weightsIn(out, format === 'onnx'),
  };
}

async function weightsIn(path: string, isOnnx: boolean): Promise<number> {
  if (!isOnnx) return usedBytes(await openCheckpoint(path), () => true);
  const folder = join(path, ONNX_FOLDER);
  const sizes = await Promise.all((await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Shorter rows say too little about a block. */
const LEAST_ROW = 16;

/** Heals on the target's own text. @returns the file of healed weights; undefined where they were not better */
async function healOn(
  { checkpoint, removed, name }: Made,
  { folder, texts }: Shipping,
  context: JobContext,
  job: JobOptions,
): Promise<string | undefined> {
  const rows = rowsOf(texts);
  if (rows.length < 2) {
    context.warn(`${name} was not healed: the model’s own text has too few tokens`);
    return undefined;
  }
  const calibration = join(folder, 'rows.json');
  await writeFile(calibration, JSON.stringify({ rows }));
  const patch = join(folder, 'healed.patch.safetensors');
  const { result } = await context.run('heal', { checkpoint, remove: [...removed], calibration, patch }, { job });
  return result.weights === 'healed' ? patch : undefined;
}

/** Rows of one length, as long as the shortest text: as many of each text as fit. */
function rowsOf(texts: readonly WrittenText[]): number[][] {
  const all = texts.map(({ prompt, ids }) => [...prompt, ...ids]).filter(({ length }) => length >= LEAST_ROW);
  const length = Math.min(...all.map((row) => row.length));
  return all.flatMap((row) =>
    Array.from({ length: Math.floor(row.length / length) }, (_, i) => row.slice(i * length, (i + 1) * length)),
  );
}
