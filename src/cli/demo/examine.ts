/** What the demo compares: perplexity, continuations, size and speed of one model. */
import { requireArchitecture } from '../../engine/checkpoint/open';
import type { Checkpoint } from '../../engine/checkpoint/types';
import { generate } from '../../engine/evaluate/generate';
import { measure } from '../../engine/evaluate/measure';
import { evaluatePerplexity } from '../../engine/evaluate/perplexity';
import type { BosMode } from '../../engine/evaluate/windows';
import type { JobOptions } from '../../engine/progress';
import type { Tokenizer } from '../../engine/tokenizer/tokenizer';
import { withModel } from '../../engine/model/opened';
import { fullView } from '../../engine/model/view';
import type { Shell } from '../execute';
import type { DemoOptions } from '../commands/demo';

/** Windows of the text that perplexity is measured on. */
export const MAX_WINDOWS = 32;
const NEW_TOKENS = 40;
const SPEED = { promptTokens: 16, newTokens: 32, repeats: 2, seed: 1234 };
const TURNS = 3;

export interface Task {
  /** Ids of the text to predict. */
  readonly ids: readonly number[];
  readonly prompts: readonly string[];
  /** Tokens per window of the perplexity. */
  readonly window: number;
}

/** New text. */
export interface Written {
  readonly text: string;
  readonly ids: readonly number[];
  readonly stopped: string;
}

export interface Quality {
  readonly ppl: number;
  /** Tokens scored. */
  readonly tokens: number;
  /** How the text was cut. */
  readonly windows: number;
  readonly window: number;
  readonly bos: BosMode;
  /** Of each prompt, greedy. */
  readonly continuations: readonly Written[];
}

export interface Cost {
  readonly parameters: number;
  readonly bytes: number;
  /** While writing. */
  readonly tokensPerSecond: number;
}

export type Examination = Quality & Cost;

export async function qualityOf(
  checkpoint: Checkpoint,
  tokenizer: Tokenizer,
  { ids, prompts, window }: Task,
  options: Pick<DemoOptions, 'device' | 'threads' | 'memory'>,
  shell: Shell,
): Promise<Quality> {
  return withModel(checkpoint, options, async (model) => {
    const bos = model.architecture.bosTokenId === undefined ? 'none' : 'stream';
    const { ppl, tokens, windows } = await evaluatePerplexity(
      model,
      ids,
      { window, bos, limit: MAX_WINDOWS },
      shell.job,
    );
    const continuations: Written[] = [];
    for (const prompt of prompts) {
      const promptIds = await tokenizer.encode(prompt, { addSpecialTokens: true });
      const written = await generate(model, promptIds, { maxNewTokens: NEW_TOKENS, greedy: true }, shell.job);
      const { ids: newIds, stopped } = written;
      const text = await tokenizer.decode(newIds, { skipSpecialTokens: true });
      continuations.push({ text, ids: newIds, stopped });
    }
    return { ppl, tokens, windows, window, bos, continuations };
  });
}

/**
 * To be measured when everything has run once: the first runs of a process are slower than the rest. The models take
 * turns, and of each the best turn counts: a machine that is busy for a moment is so for one of them only.
 */
export async function costsOf(
  checkpoints: readonly Checkpoint[],
  { device, threads, memory }: Pick<DemoOptions, 'device' | 'threads' | 'memory'>,
  job: JobOptions,
): Promise<Cost[]> {
  const turns: Cost[][] = checkpoints.map(() => []);
  for (let turn = 0; turn < TURNS; turn++) {
    for (const [i, checkpoint] of checkpoints.entries()) {
      const view = fullView(requireArchitecture(checkpoint).layers.length);
      const cost = await measure(checkpoint, { ...SPEED, view, device, threads, memory }, job);
      turns[i].push({ parameters: cost.parameters, bytes: cost.bytes, tokensPerSecond: cost.decodeTokensPerSecond });
    }
  }
  return turns.map((own) => own.reduce((a, b) => (b.tokensPerSecond > a.tokensPerSecond ? b : a)));
}
