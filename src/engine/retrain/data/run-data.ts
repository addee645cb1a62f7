/** The data of a run: files, or text that the unpruned model generates. */
import { UserError } from '../../errors';
import { option } from '../../option-token';
import type { JobOptions } from '../../progress';
import { beginningOf } from '../../tokenizer/bos';
import type { Tokenizer } from '../../tokenizer/tokenizer';
import type { Model } from '../../model/model';
import { fullView } from '../../model/view';
import { loadTrainingData, type TrainingData } from './load';
import { selfData } from './self-data';
import { DEFAULTS } from '../defaults';
import { type RetrainSettings, rowLengthOf } from '../settings';
import { ownTextFile } from './own-text-file';

export interface DataContext {
  readonly tokenizer?: Tokenizer;
  /** The teacher, if any. It generates the text. */
  readonly teacher?: Model;
  /** Blocks that the student leaves out. */
  readonly removed: readonly number[];
  /** Where generated text is kept. */
  readonly cache: string;
}

/** @throws UserError when data cannot be read, used or generated; CancelledError */
export async function runData(
  model: Model,
  settings: RetrainSettings,
  { tokenizer, teacher, removed, cache }: DataContext,
  job: JobOptions,
): Promise<TrainingData> {
  const { context, eosTokenIds, bosTokenId, vocabulary } = model.architecture;
  const { data, heldOut, prompt, share, seed = DEFAULTS.seed, selfTokens = DEFAULTS.selfTokens } = settings;
  const length = rowLengthOf(settings, { context });
  if (data !== 'self') {
    const beginning = beginningOf(settings.bos, { tokenizer, bosTokenId });
    const options = {
      length,
      seed,
      heldOut,
      prompt,
      share,
      eosTokenId: eosTokenIds[0],
      beginning,
      vocabulary,
      context,
    };
    return loadTrainingData(data, options, tokenizer, job);
  }
  if (!teacher && removed.length === 0) {
    throw new UserError(
      'No model can write the training text',
      'nothing was removed from this model, so it would train on its own text',
      `Name the original with ${option('teacher')}, or the blocks to leave out with ${option('remove')}.`,
    );
  }
  const author = teacher ?? model;
  const openings = await openingsOf(tokenizer);
  const view = fullView(author.architecture.layers.length);
  const { bos } = settings;
  const shared = await ownTextFile({ identity: author.checkpoint.identity, length, seed, bos });
  const options = { tokens: selfTokens, length, seed, heldOut, openings, cache, shared, bos };
  return selfData(author, view, options, job);
}

/** First tokens for models without a begin-of-text token. */
export async function openingsOf(tokenizer: Tokenizer | undefined): Promise<number[]> {
  const openings: number[] = [];
  for (const word of OPENINGS) {
    const ids = await tokenizer?.encode(word, { addSpecialTokens: false });
    openings.push(...(ids ?? []).slice(0, 1));
  }
  return openings;
}

/** First words for models without a begin-of-text token. */
const OPENINGS = [
  'The',
  'A',
  'In',
  'It',
  'When',
  'We',
  'I',
  'He',
  'She',
  'There',
  'How',
  'What',
  'To',
  'If',
  'On',
  'This',
];
