/** Jobs that measure a model and write no other. */
import type {
  BenchResult,
  CurveResult,
  DraftResult,
  EvaluateResult,
  FrontierResult,
  GenerateResult,
  GridResult,
  PromptsResult,
  ScoreResult,
  TasksResult,
  TextEvent,
  VerifyResult,
  VersusResult,
} from './results';
import type {
  BenchOptions,
  CurveOptions,
  DraftOptions,
  EvaluateOptions,
  FrontierOptions,
  GenerateOptions,
  GridOptions,
  ScoreOptions,
  TasksOptions,
  VerifyOptions,
  VersusOptions,
} from './options';
import { run, type RunOptions } from './run';

/**
 * Scores every Transformer block: a block with a lower score matters less. As `coppice score`.
 * @returns the score of every block, and their order from least to most important
 * @throws UserError for options or files that cannot be used; CancelledError
 * @example
 * ```ts
 * import { score } from 'coppice';
 *
 * const { blocks, order } = await score({ checkpoint: './SmolLM2-135M', calibration: 'prose.txt' });
 * console.log('least important first:', order, blocks?.[0].score);
 * ```
 */
export const score = (options: ScoreOptions, around?: RunOptions): Promise<ScoreResult> =>
  run('score', options, around);

/**
 * Removes one, two, three … blocks in the order of a criterion and measures each model: where it degrades, and where it
 * breaks. As `coppice curve`.
 * @returns a point for every number of removed blocks
 * @throws UserError for options or files that cannot be used; CancelledError
 * @example
 * ```ts
 * import { curve } from 'coppice';
 *
 * const { points } = await curve({ checkpoint: './SmolLM2-135M', calibration: 'prose.txt', most: 12 });
 * for (const { count, ppl } of points) console.log(`${count} blocks removed: perplexity ${ppl}`);
 * ```
 */
export const curve = (options: CurveOptions, around?: RunOptions): Promise<CurveResult> =>
  run('curve', options, around);

/**
 * Says what a draft would gain before anything ships: a small copy that proposes tokens, which the model checks several at
 * once, so that the text stays its own. With `out` it writes both for the program. As `coppice draft`.
 * @returns how often they agree, tokens of a pass and the speed-up by length, and whether it pays
 * @throws UserError for options or files that cannot be used; CancelledError
 * @example
 * ```ts
 * import { draft } from 'coppice';
 *
 * const { verdict, why, chosen } = await draft({ checkpoint: './SmolLM2-135M', for: 'genai', prompts: 'prompts.txt' });
 * console.log(verdict, why, chosen?.name, chosen?.speedup);
 * ```
 */
export const draft = (options: DraftOptions, around?: RunOptions): Promise<DraftResult> =>
  run('draft', options, around);

/**
 * Measures the perplexity of a text or of calibration rows. A model that lacks blocks is compared with the unpruned one too.
 * As `coppice eval`.
 * @returns perplexity and mean loss in nats; divergence and agreement where there is something to compare
 * @throws UserError for options or files that cannot be used; CancelledError
 * @example
 * ```ts
 * import { evaluate } from 'coppice';
 *
 * const { ppl, kl } = await evaluate({ checkpoint: './SmolLM2-24', text: 'test.txt', against: './SmolLM2-135M' });
 * console.log(`perplexity ${ppl}, ${kl} nats from the unpruned model`);
 * ```
 */
export const evaluate = (options: EvaluateOptions, around?: RunOptions): Promise<EvaluateResult> =>
  run('eval', options, around);

/**
 * Measures accuracy in tasks, of one or several models on the same items. As `coppice tasks`.
 * @returns the results of one model, or of several with their differences
 * @throws UserError for options or files that cannot be used; CancelledError
 * @example
 * ```ts
 * import { tasks } from 'coppice';
 *
 * const found = await tasks({ checkpoints: ['./SmolLM2-135M', './SmolLM2-24'], data: './tasks', limit: 200 });
 * if ('models' in found) for (const { label, average } of found.models) console.log(label, average);
 * ```
 */
export const tasks = (options: TasksOptions, around?: RunOptions): Promise<TasksResult> =>
  run('tasks', options, around);

/**
 * Continues every prompt of a file. As `coppice generate --prompts`.
 * @returns a continuation for every prompt, in the order of the file
 * @throws UserError for options or files that cannot be used; CancelledError
 * @example
 * ```ts
 * import { generate } from 'coppice';
 *
 * const { texts } = await generate({ checkpoint: './SmolLM2-135M', prompts: 'questions.txt', maxNewTokens: 40 });
 * for (const { prompt, text } of texts) console.log(prompt, text);
 * ```
 */
export function generate(
  options: GenerateOptions & { readonly prompts: string },
  around?: RunOptions<TextEvent>,
): Promise<PromptsResult>;
/**
 * Continues a prompt, greedily unless an option of sampling is given. Events bring the text while it grows. As
 * `coppice generate`.
 * @returns the continuation, its tokens, and what they took
 * @throws UserError for options or files that cannot be used; CancelledError
 * @example
 * ```ts
 * import { generate } from 'coppice';
 *
 * const { text } = await generate(
 *   { checkpoint: './SmolLM2-135M', prompt: 'Once upon a time', temperature: 0.8 },
 *   { onEvent: ({ text }) => process.stdout.write(text) },
 * );
 * ```
 */
export function generate(
  options: GenerateOptions & { readonly prompts?: undefined },
  around?: RunOptions<TextEvent>,
): Promise<GenerateResult>;
export function generate(
  options: GenerateOptions,
  around?: RunOptions<TextEvent>,
): Promise<GenerateResult | PromptsResult> {
  return run('generate', options, around);
}

/**
 * Measures how fast a model reads and writes, and how much memory and disk it needs. As `coppice bench`.
 * @returns medians of several runs
 * @throws UserError for options or files that cannot be used; CancelledError
 * @example
 * ```ts
 * import { bench } from 'coppice';
 *
 * const { decodeTokensPerSecond } = await bench({ checkpoint: './SmolLM2-135M', remove: [10, 12, 13] });
 * console.log(decodeTokensPerSecond);
 * ```
 */
export const bench = (options: BenchOptions, around?: RunOptions): Promise<BenchResult> =>
  run('bench', options, around);

/**
 * Measures speed and memory of models over sizes of batches and lengths of texts. As `coppice grid`.
 * @returns a cell for each length and batch of each model
 * @throws UserError for options or files that cannot be used; CancelledError
 * @example
 * ```ts
 * import { grid } from 'coppice';
 *
 * const { models } = await grid({ checkpoints: ['./SmolLM2-135M', './SmolLM2-24'], batch: [1, 8], newTokens: [32] });
 * console.log(models.map(({ label, cells }) => [label, cells.length]));
 * ```
 */
export const grid = (options: GridOptions, around?: RunOptions): Promise<GridResult> => run('grid', options, around);

/**
 * Compares depth and width pruning at equal size on your own model. As `coppice versus`.
 * @returns the whole model, and a model for each method and size
 * @throws UserError for options or files that cannot be used; CancelledError
 * @example
 * ```ts
 * import { versus } from 'coppice';
 *
 * const { models } = await versus({ checkpoint: './SmolLM2-135M', calibration: 'prose.txt', counts: [6], speed: false });
 * for (const { method, ppl } of models) console.log(method, ppl);
 * ```
 */
export const versus = (options: VersusOptions, around?: RunOptions): Promise<VersusResult> =>
  run('versus', options, around);

/**
 * Measures perplexity against the size of the file, in several types and without several numbers of blocks. As `coppice frontier`.
 * @returns the files with their sizes, which of them are worth their bytes, and the best that fits if a size is given
 * @throws UserError for options or files that cannot be used, and for a size that no file has; CancelledError
 * @example
 * ```ts
 * import { frontier } from 'coppice';
 *
 * const { points, fit } = await frontier({
 *   checkpoint: './SmolLM2-135M',
 *   text: 'test.txt',
 *   calibration: 'prose.txt',
 *   fit: 100_000_000,
 * });
 * if (fit && fit.point !== null) console.log(points[fit.point].type, fit.commands);
 * ```
 */
export const frontier = (options: FrontierOptions, around?: RunOptions): Promise<FrontierResult> =>
  run('frontier', options, around);

/**
 * Compares an exported model with the model that it was written from. As `coppice verify`.
 * @returns how far the two are apart, and whether that is accepted
 * @throws UserError for options or files that cannot be used; CancelledError
 * @example
 * ```ts
 * import { verify } from 'coppice';
 *
 * const { verified } = await verify({ output: './SmolLM2-26.gguf' });
 * console.log(verified.passed ? 'the same model' : verified.why);
 * ```
 */
export const verify = (options: VerifyOptions, around?: RunOptions): Promise<VerifyResult> =>
  run('verify', options, around);
