/** Compares a checkpoint that was written, safetensors or GGUF, with the view that it was written from. */
import { withLayers } from '../checkpoint/architecture';
import { ggufArchitecture, isTakenApart } from '../checkpoint/gguf/as-gguf';
import { isGgufCheckpoint } from '../checkpoint/gguf/name';
import { requireArchitecture } from '../checkpoint/open';
import { storedWeight } from '../checkpoint/stacks';
import type { Checkpoint } from '../checkpoint/types';
import { type WeightKey, weightOf } from '../checkpoint/weight-key';
import { windowOf } from '../checkpoint/kinds/parts';
import type { ModelOptions } from '../model/model';
import { type OpenedModel, withModel } from '../model/opened';
import { fullView, type View } from '../model/view';
import { announce, inPhases, type JobOptions } from '../progress';
import { optionalTokenizer } from '../tokenizer/optional';
import { openGguf } from '../formats/gguf/file';
import { USED_IMATRIX } from '../formats/gguf/imatrix';
import { asGgufModel } from '../weights/as-gguf';
import { withChanges } from '../weights/overlay';
import { checkpointWeights } from '../weights/checkpoint';
import { WithSettings } from '../weights/with-settings';
import type { WeightSource } from '../weights/source';
import { compareLogits, compareTokens } from './compare';
import type { ModelReader } from './reader';
import { verificationRows, type VerificationRows } from './rows';
import { EXACT_TOLERANCE, ROUNDED_TOLERANCE, type Verified, verdictOf } from './verdict';
import { viewReader } from './view-reader';
import { compareWeights } from './weights';

/** What a model says to the rows. */
export interface Said {
  readonly logits: readonly Float32Array[];
  readonly greedy: readonly number[];
  /** The lead of each token of the continuation over the second best. */
  readonly margins: readonly number[];
}

/** A verification, and what other programs are compared with. */
export interface Verification {
  readonly verified: Verified;
  readonly rows: VerificationRows;
  /** What the file says: of ONNX each kind. */
  readonly said: readonly { readonly of: string; readonly said: Said }[];
}

/** The rows for a model and a file of it. @param most as of `verificationRows` */
export async function rowsFor({ checkpoint, architecture }: OpenedModel, job: JobOptions, most?: number) {
  const tokenizer = await optionalTokenizer(checkpoint.home, job);
  return verificationRows(architecture, tokenizer, most);
}

export async function saidBy(reader: ModelReader, rows: VerificationRows, job: JobOptions): Promise<Said> {
  // A token of the continuation reads all weights, and so does a row; a row computes more with them.
  const [reading, continuing, again] = inPhases(job, [
    { share: 2 * rows.rows.length },
    { share: rows.count / 8 },
    { share: 2 },
  ]);
  const logits = await reader.logits(rows.rows, reading);
  const greedy = await reader.greedy(rows.prompt, rows.count, continuing);
  const all = await reader.logits([[...rows.prompt, ...greedy]], again);
  return { logits, greedy, margins: greedy.map((id, i) => leadOf(all[rows.prompt.length - 1 + i], id)) };
}

/** What the source says: the view with its changes. */
export function saidBySource(
  { checkpoint, changes, view }: OpenedModel,
  rows: VerificationRows,
  compute: ModelOptions,
  job: JobOptions,
): Promise<Said> {
  return withModel(checkpoint, { ...compute, changes }, (model) =>
    saidBy(viewReader(model, view, 'the source'), rows, job),
  );
}

/** How far a token is ahead of all others. */
const leadOf = (logits: Float32Array, id: number): number =>
  logits.reduce((least, value, i) => (i === id ? least : Math.min(least, logits[id] - value)), Infinity);

/**
 * @param written opened again
 * @throws UserError when a file cannot be read or the written model is of another shape; CancelledError
 */
export async function verifyCheckpoint(
  source: OpenedModel,
  written: Checkpoint,
  compute: ModelOptions,
  job: JobOptions,
): Promise<Verification> {
  const architecture = requireArchitecture(written);
  const [comparing, reading, readingAgain, settling] = inPhases(job, [
    { share: 2 },
    { share: 1 },
    { share: 1 },
    { share: 0 },
  ]);
  const weights = await comparedWeights(source, written, comparing);
  const rows = await rowsFor(source, job, lostWindow(source, written));
  const expected = await saidBySource(source, rows, compute, reading);
  const whole = fullView(architecture.layers.length);
  const found = await withModel(written, compute, (model) =>
    saidBy(viewReader(model, whole, 'what was written'), rows, readingAgain),
  );
  announce(readingAgain, 'comparing what both say');
  const exact = weights.wrong === undefined && weights.maxDifference <= SAME;
  const logits = compareLogits(expected.logits, found.logits);
  const mayBeRounding = !exact && weights.wrong === undefined && !(logits.relative <= ROUNDED_TOLERANCE);
  const isRounding =
    mayBeRounding && (await isOfNumbers(source, written, { rows: rows.rows, found: found.logits }, compute, settling));
  const verified = verdictOf({
    logits,
    isRounding,
    greedy: compareTokens(expected.greedy, found.greedy),
    margins: expected.margins,
    weights,
    exact,
  });
  return { verified, rows, said: [{ of: written.format, said: found }] };
}

/**
 * Whether what was written differs by its numbers alone: with these, the settings of the source give the same logits. So nothing but rounding is
 * between the two, however much that is in this model.
 */
async function isOfNumbers(
  { architecture: whole, view }: OpenedModel,
  written: Checkpoint,
  { rows, found }: { readonly rows: VerificationRows['rows']; readonly found: readonly Float32Array[] },
  compute: ModelOptions,
  job: JobOptions,
): Promise<boolean> {
  const isGguf = isGgufCheckpoint(written);
  const own = withLayers(isGguf ? ggufArchitecture(whole) : whole, keptBlocksOf(view));
  const weights = checkpointWeights(written);
  // A file can have a head of its own, where the model takes the embedding.
  const settings = { ...own, tied: weights.architecture.tied };
  return withModel(written, compute, async (model) => {
    const numbers = new WithSettings(isGguf ? inMatricesOfFile(weights) : weights, settings);
    const other = await model.withWeights(numbers);
    try {
      const reader = viewReader(other, fullView(settings.layers.length), 'its numbers');
      return compareLogits(await reader.logits(rows, job), found).maxDifference <= EXACT_TOLERANCE;
    } finally {
      await other.close();
    }
  });
}

/** Numbers this near are the same: an adapter's sums are rounded to float32. */
const SAME = 1e-6;

async function comparedWeights({ checkpoint, changes, view }: OpenedModel, written: Checkpoint, job: JobOptions) {
  const source = withChanges(checkpointWeights(checkpoint), changes);
  const weights = checkpointWeights(written);
  try {
    // A GGUF file can have the numbers in other matrices.
    const like = isGgufCheckpoint(written) ? asGgufModel(source) : source;
    const found = isGgufCheckpoint(written) ? inMatricesOfFile(weights) : weights;
    const stored = { typeOf: typesOf(written, found), isWeighed: await isWeighed(written) };
    return await compareWeights(like, found, keptBlocksOf(view), stored, job);
  } finally {
    await source.close();
    await weights.close();
  }
}

/** The weights of a GGUF file in its own matrices: some are in one where it has two. */
const inMatricesOfFile = (weights: WeightSource): WeightSource =>
  isTakenApart(weights.architecture) ? asGgufModel(weights) : weights;

/** Whether an importance matrix guided the rounding of a GGUF file. */
async function isWeighed({ format, shards }: Checkpoint): Promise<boolean> {
  if (!format.startsWith('gguf')) return false;
  return (await openGguf(shards[0].file)).metadata.has(USED_IMATRIX.entries);
}

/** The blocks of a view that has whole blocks only. */
export const keptBlocksOf = ({ attention }: View): number[] =>
  [...attention.keys()].filter((block) => attention[block]);

/** @param found the weights of the file, in its matrices */
function typesOf(written: Checkpoint, found: WeightSource): (key: WeightKey) => string | undefined {
  const architecture = requireArchitecture(written);
  return (key) => {
    const half = isTakenApart(architecture) ? found.stored(key) : undefined;
    if (half) return half.dtype;
    const name = weightOf(architecture, key)?.name;
    return name === undefined ? undefined : storedWeight(written, name)?.dtype;
  };
}

/** The smallest window of the source, if the file lost it: only positions within it are the same. */
function lostWindow({ architecture }: OpenedModel, written: Checkpoint): number | undefined {
  if (!written.format.startsWith('gguf')) return undefined;
  const windows = architecture.layers.map(windowOf).filter((window) => window !== null);
  const kept = requireArchitecture(written).layers.some((layer) => windowOf(layer) !== null);
  return windows.length === 0 || kept ? undefined : Math.min(...windows);
}
