/** The work of a comparison with the original, by its parts. Their times tell what it takes before it starts. */
import type { Architecture } from '../engine/checkpoint/architecture';
import type { RowShape } from '../engine/importance/estimate';
import { NEW_TOKENS } from '../jobs/options/sampling';
import { decoding, evaluating } from '../recipes/estimate/parts';
import type { Part } from '../recipes/estimate/speeds';

/** The defaults of the job that measures speeds; one run more warms up. */
const SPEED = { promptTokens: 128, newTokens: 64, runs: 5 + 1 } as const;

/** Perplexity: each model reads the rows. */
export const perplexityWork = (models: readonly Architecture[], rows: RowShape): Part[] =>
  models.map((architecture) => evaluating(architecture, rows));

/** Speed: each model reads a prompt and continues it, several times. */
export const speedWork = (models: readonly Architecture[]): Part[] =>
  models.flatMap((architecture) => [
    evaluating(architecture, { rows: SPEED.runs, length: Math.min(SPEED.promptTokens, architecture.context) }),
    decoding(architecture, SPEED.runs * SPEED.newTokens),
  ]);

/** Sample texts: each model continues every prompt. */
export const textsWork = (models: readonly Architecture[], prompts: number): Part[] =>
  models.map((architecture) => decoding(architecture, prompts * NEW_TOKENS));
