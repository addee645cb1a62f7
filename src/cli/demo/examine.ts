/** Measurements that the demo compares: perplexity, continuations, size and speed of one model. */
import { DEFAULT_SEED } from '../../engine/importance/drawing';
import type { LabelledModel } from '../../jobs/option';
import type { RunResult } from '../../jobs/runs';
import type { PromptText } from '../../jobs/results/generate';
import type { JobOptions } from '../../engine/progress';
import { inParts, type Story } from './story';

/** Windows of the evaluation text. */
export const MAX_WINDOWS = 32;
const NEW_TOKENS = 40;
const SPEED = { promptTokens: 16, newTokens: 32, repeats: 2, seed: DEFAULT_SEED };
const TURNS = 3;

export type Quality = Pick<RunResult<'eval'>, 'ppl' | 'tokens' | 'windows' | 'window' | 'bos'> & {
  /** Greedy continuation of each prompt. */
  readonly continuations: readonly Pick<PromptText, 'text' | 'ids' | 'stopped'>[];
};

export interface Cost {
  readonly parameters: number;
  readonly bytes: number;
  /** Speed of decoding. */
  readonly tokensPerSecond: number;
}

/** Answers to the material's questions. */
export interface Answers {
  readonly items: number;
  readonly right: number;
}

export type Examination = Quality & Cost & { readonly questions?: Answers };

/** What each model knows of the same questions. @param columns with labels, in order */
export async function answersOf(
  columns: readonly LabelledModel[],
  own: string,
  { compute, measure }: Story,
  job: JobOptions,
): Promise<Answers[]> {
  const { result } = await measure('tasks', { columns, own: [own], ...compute }, { job });
  const models = 'models' in result ? result.models : [result];
  return models.map(({ tasks: [{ items, acc }] }) => ({ items, right: Math.round(acc * items) }));
}

/** @param checkpoint path of the model */
export async function qualityOf(
  checkpoint: string,
  { material, length: window, compute, measure }: Story,
  job: JobOptions,
): Promise<Quality> {
  const { text, prompts } = material;
  const [toMeasure, ...toWrite] = inParts(job, 1 + prompts.length);
  const measured = { checkpoint, text, window, limit: MAX_WINDOWS, ...compute };
  const { ppl, tokens, windows, bos } = (await measure('eval', measured, { job: toMeasure })).result;
  const continuations = [];
  for (const [i, prompt] of prompts.entries()) {
    const writing = { checkpoint, prompt, maxNewTokens: NEW_TOKENS, precision: 'float32', ...compute } as const;
    const { result } = await measure('generate', writing, { job: toWrite[i] });
    if ('ids' in result) continuations.push({ text: result.text, ids: result.ids, stopped: result.stopped });
  }
  return { ppl, tokens, windows, window, bos, continuations };
}

/**
 * Measure this after everything has run once, because the first runs of a process are slower. The models take turns,
 * and the best turn of each counts, so a short load of the machine slows only one turn.
 * @param checkpoints paths of the models
 */
export async function costsOf(
  checkpoints: readonly string[],
  { compute, measure }: Story,
  job: JobOptions,
): Promise<Cost[]> {
  const jobs = inParts(job, TURNS * checkpoints.length);
  const turns: Cost[][] = checkpoints.map(() => []);
  for (let turn = 0; turn < TURNS; turn++) {
    for (const [i, checkpoint] of checkpoints.entries()) {
      const part = { job: jobs[turn * checkpoints.length + i] };
      const { result } = await measure('bench', { checkpoint, ...SPEED, precision: 'float32', ...compute }, part);
      const { parameters, bytes, decodeTokensPerSecond: tokensPerSecond } = result;
      turns[i].push({ parameters, bytes, tokensPerSecond });
    }
  }
  return turns.map((own) => own.reduce((a, b) => (b.tokensPerSecond > a.tokensPerSecond ? b : a)));
}
