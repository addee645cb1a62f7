/** Jobs that make a model of another, which never changes. */
import type {
  ExpertsResult,
  ExportResult,
  HealResult,
  IterateEvent,
  IterateResult,
  MergeResult,
  PruneResult,
  RetrainResult,
  TrainingEvent,
  VocabularyResult,
  WidthResult,
} from './results';
import type {
  ExpertsOptions,
  ExportOptions,
  HealOptions,
  IterateOptions,
  MergeOptions,
  PruneOptions,
  RetrainOptions,
  VocabularyOptions,
  WidthOptions,
} from './options';
import { run, type RunOptions } from './run';

/**
 * Writes a checkpoint without some blocks: those of a list, or the least important ones. As `coppice prune`.
 * @returns what was removed and written, and what that saves
 * @throws UserError for options or files that cannot be used; CancelledError
 * @example
 * ```ts
 * import { prune } from 'coppice';
 *
 * const { removed, parametersAfter } = await prune({
 *   checkpoint: './SmolLM2-135M',
 *   criterion: 'ppl',
 *   calibration: 'prose.txt',
 *   count: 6,
 *   out: './SmolLM2-24',
 * });
 * console.log(removed, parametersAfter);
 * ```
 */
export function prune(
  options: PruneOptions & { readonly dryRun?: false },
  around?: RunOptions,
): Promise<PruneResult & { readonly out: string }>;
/** The same, and with `dryRun` only says what it would remove: nothing is written, and `out` is null. */
export function prune(options: PruneOptions, around?: RunOptions): Promise<PruneResult>;
export function prune(options: PruneOptions, around?: RunOptions): Promise<PruneResult> {
  return run('prune', options, around);
}

/**
 * Prunes in width: removes attention heads and neurons in place of blocks. Without `out`, `save` and `gguf` it only
 * measures. As `coppice width`.
 * @returns what every block keeps, and the perplexity of the narrower model on the calibration rows
 * @throws UserError for options or files that cannot be used; CancelledError
 * @example
 * ```ts
 * import { width } from 'coppice';
 *
 * const { out, parametersAfter } = await width({
 *   checkpoint: './SmolLM2-135M',
 *   method: 'flap',
 *   ratio: 0.25,
 *   calibration: 'prose.txt',
 *   out: './SmolLM2-narrow',
 * });
 * console.log(out, parametersAfter);
 * ```
 */
export const width = (options: WidthOptions, around?: RunOptions): Promise<WidthResult> =>
  run('width', options, around);

/**
 * Drops the least important experts of a mixture of experts. Without `out` it only says what would stay, and what that costs. As
 * `coppice experts`.
 * @returns what every expert is worth, which ones stay, and the loss before and after
 * @throws UserError for options or files that cannot be used; CancelledError
 * @example
 * ```ts
 * import { experts } from 'coppice';
 *
 * const { blocks, after } = await experts({
 *   checkpoint: './Qwen3-30B-A3B',
 *   keep: 96,
 *   calibration: 'code.txt',
 *   out: './Qwen3-96',
 * });
 * console.log(blocks[0].kept, after?.meanNll);
 * ```
 */
export const experts = (options: ExpertsOptions, around?: RunOptions): Promise<ExpertsResult> =>
  run('experts', options, around);

/**
 * Keeps the tokens that an application's texts need. Without `out` it only says what would stay, and what that costs. As
 * `coppice vocabulary`.
 * @returns which tokens stay, what that saves, and what it costs on text that was not counted
 * @throws LimitError, a UserError, where that costs more than is allowed; UserError for options or files that cannot be used;
 *   CancelledError
 * @example
 * ```ts
 * import { vocabulary } from 'coppice';
 *
 * const { kept, heldOut } = await vocabulary({
 *   checkpoint: './gemma-3-270m.gguf',
 *   texts: ['chats.jsonl'],
 *   out: './gemma-help.gguf',
 * });
 * console.log(kept, heldOut.bitsPerByte);
 * ```
 */
export const vocabulary = (options: VocabularyOptions, around?: RunOptions): Promise<VocabularyResult> =>
  run('vocabulary', options, around);

/**
 * Removes block after block, and heals after each. As `coppice iterate`.
 * @returns every round: what it removed, what that cost, and what healing brought back
 * @throws UserError for options or files that cannot be used; CancelledError
 * @example
 * ```ts
 * import { iterate } from 'coppice';
 *
 * const { rounds } = await iterate(
 *   { checkpoint: './SmolLM2-135M', calibration: 'prose.txt', method: 'refit', maxKl: 0.3, out: './SmolLM2-short' },
 *   { onEvent: (event) => event.type === 'round' && console.log(`block ${event.block} is removed`) },
 * );
 * console.log(rounds.length);
 * ```
 */
export const iterate = (options: IterateOptions, around?: RunOptions<IterateEvent>): Promise<IterateResult> =>
  run('iterate', options, around);

/**
 * Leaves out blocks and corrects the weights of the others in closed form, without training. As `coppice heal`.
 * @returns how near the model is to the whole one, before and after
 * @throws UserError for options or files that cannot be used; CancelledError
 * @example
 * ```ts
 * import { heal } from 'coppice';
 *
 * const { heldOut } = await heal({ checkpoint: './SmolLM2-135M', remove: [13, 14, 15], out: './SmolLM2-27' });
 * console.log(heldOut?.before.ppl, heldOut?.after.ppl);
 * ```
 */
export const heal = (options: HealOptions, around?: RunOptions): Promise<HealResult> => run('heal', options, around);

/**
 * Trains an adapter (LoRA) on a model, or all of its weights. As `coppice retrain`.
 * @returns the losses of every step, and what was written
 * @throws UserError for options or files that cannot be used; CancelledError
 * @example
 * ```ts
 * import { retrain } from 'coppice';
 *
 * const { out } = await retrain(
 *   { checkpoint: './SmolLM2-24', data: ['alpaca.json'], steps: 100, out: './adapter' },
 *   { onEvent: (event) => event.type === 'step' && console.log(event.step, event.loss) },
 * );
 * ```
 */
export const retrain = (options: RetrainOptions, around?: RunOptions<TrainingEvent>): Promise<RetrainResult> =>
  run('retrain', options, around);

/**
 * Writes a checkpoint with an adapter in its weights. As `coppice merge`.
 * @returns what was written
 * @throws UserError for options or files that cannot be used; CancelledError
 * @example
 * ```ts
 * import { merge } from 'coppice';
 *
 * await merge({ checkpoint: './SmolLM2-24', adapter: './adapter', out: './SmolLM2-24-retrained' });
 * ```
 */
export const merge = (options: MergeOptions, around?: RunOptions): Promise<MergeResult> =>
  run('merge', options, around);

/**
 * Writes a model for an application, as safetensors, GGUF or ONNX, and compares what it wrote with the model. As
 * `coppice export`, whose name is a word of JavaScript.
 * @returns the files, and how far they are from the model
 * @throws UserError for options or files that cannot be used, or a result that is not the model; CancelledError
 * @example
 * ```ts
 * import { exportModel } from 'coppice';
 *
 * const { bytes, verified } = await exportModel({ checkpoint: './SmolLM2-24', type: ['q8_0'], out: './SmolLM2-24.gguf' });
 * console.log(bytes, verified?.passed);
 * ```
 */
export const exportModel = (options: ExportOptions, around?: RunOptions): Promise<ExportResult> =>
  run('export', options, around);
