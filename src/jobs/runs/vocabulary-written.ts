/** Writes a model with a trimmed vocabulary, and compares what was written with the original. */
import { createHash } from 'node:crypto';
import { isGgufCheckpoint } from '../../engine/checkpoint/gguf/name';
import { openCheckpoint } from '../../engine/checkpoint/open';
import type { Checkpoint } from '../../engine/checkpoint/types';
import type { LeftBehind } from '../../engine/checkpoint/accompanying-files';
import { withModel } from '../../engine/model/opened';
import { fullView } from '../../engine/model/view';
import { inPhases, type JobOptions } from '../../engine/progress';
import { calibrationsOf } from '../../engine/records/calibrations';
import { modelInput, modelName, newRecord, type RunRecord } from '../../engine/records/record';
import { loadTokenizer } from '../../engine/tokenizer/tokenizer';
import { blockReader } from '../../engine/verify/view-reader';
import { heldOut } from '../../engine/vocabulary/held-out';
import { inheritedFields } from '../../engine/write/card';
import { vocabularyCard } from '../../engine/write/vocabulary/card';
import { planTrimmedFolder, writeTrimmedFolder } from '../../engine/write/vocabulary/folder';
import { planTrimmedGguf, writeTrimmedGguf } from '../../engine/write/vocabulary/gguf';
import type { OptionsFor } from '../kinds';
import type { VocabularyResult } from '../results/vocabulary';
import { type JobContext, modelOptions } from '../run';
import { namesOfCounted, type Trimming } from './vocabulary-choice';

export interface Writing {
  readonly checkpoint: Checkpoint;
  readonly found: Trimming;
  readonly facts: Omit<VocabularyResult, 'written' | 'verified' | 'seconds' | 'bytes'>;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly started: Date;
}

export interface WrittenVocabulary {
  /** Absolute; null if nothing was written. */
  readonly out: string | null;
  /** Of what is, or would be, written. */
  readonly bytes: number;
  readonly leftBehind: readonly LeftBehind[];
}

/** @param out nothing is written without it, and only the size is found */
export async function writeTrimmed(
  { checkpoint, found, facts, settings, started }: Writing,
  out: string | undefined,
  job: JobOptions,
): Promise<WrittenVocabulary> {
  const { source, trimmed, inputs } = found;
  const used = await calibrationsOf(checkpoint);
  const finished = new Date(); // of the plan: the record is part of what is written
  const record = (bytes: number): RunRecord =>
    newRecord({
      kind: 'vocabulary',
      inputs: [modelInput(checkpoint), ...inputs, ...used],
      settings,
      results: { ...facts, bytes: { before: checkpoint.size.all, after: bytes } },
      ...{ started, finished },
    });
  if (isGgufCheckpoint(checkpoint)) {
    const name = modelName(checkpoint);
    const description = `${name} with ${facts.kept} of its ${facts.size} tokens, trimmed with Coppice`;
    const of = { tokens: source.tokens, trimmed, description, record };
    if (out === undefined) return { out: null, bytes: (await planTrimmedGguf(checkpoint, of)).bytes, leftBehind: [] };
    const { file, bytes } = await writeTrimmedGguf(checkpoint, of, out, job);
    return { out: file, bytes, leftBehind: [] };
  }
  const inherited = await inheritedFields(checkpoint);
  const texts = namesOfCounted(inputs);
  const card = (): string => vocabularyCard(checkpoint, { ...facts, texts, settings, inherited });
  const of = { source, trimmed, digest: digestOf(trimmed.kept), card, record };
  if (out === undefined) return { out: null, bytes: (await planTrimmedFolder(checkpoint, of)).bytes, leftBehind: [] };
  const written = await writeTrimmedFolder(checkpoint, of, out, job);
  return { out: written.out, bytes: written.bytes, leftBehind: written.leftBehind };
}

/** SHA-256 (hex) of the kept ids. */
const digestOf = (kept: readonly number[]): string =>
  createHash('sha256')
    .update(`coppice vocabulary 1\n${kept.join(' ')}`)
    .digest('hex');

/** Positions whose logits are compared. */
const POSITIONS = 64;

/**
 * Opens what was written, and compares its tokens and, if sessions may be opened, its logits with the original's.
 * @throws Error where they are others: a bug
 */
export async function verifyTrimmed(
  checkpoint: Checkpoint,
  out: string,
  { pair, pieces, trimmed, held }: Trimming,
  options: OptionsFor<'vocabulary'>,
  context: JobContext,
): Promise<NonNullable<VocabularyResult['verified']>> {
  const { job } = context;
  const written = await openCheckpoint(out);
  const tokenizer = await loadTokenizer(written.home, job);
  const again = await heldOut({ ...pair, trimmed: tokenizer }, pieces, job.signal);
  if (again.equal !== again.covered) throw new Error('the written tokenizer is another than the one that was measured');
  const ids = held.after.flat().slice(0, POSITIONS);
  const piecesEqual = again.equal;
  if (!options.bits || ids.length === 0) return { logitsDifference: null, piecesEqual };
  const [first, second] = inPhases(job, [{ share: 1 }, { share: 1 }]);
  const logits = (from: Checkpoint, row: readonly number[], name: string, part: JobOptions): Promise<Float32Array[]> =>
    withModel(from, modelOptions(options, context), (model) =>
      blockReader(model, fullView(model.architecture.layers.length), name).logits([row], part),
    );
  const before = await logits(checkpoint, ids, 'the original', first);
  const now = await logits(
    written,
    ids.map((id) => trimmed.ids.get(id)!),
    'the trimmed model',
    second,
  );
  let logitsDifference = 0;
  for (const [p, row] of now.entries()) {
    trimmed.kept.forEach((id, k) => {
      const difference = Math.abs(row[k] - before[p][id]);
      if (!(difference <= logitsDifference)) logitsDifference = difference; // not a number once one is
    });
  }
  return { logitsDifference, piecesEqual };
}
