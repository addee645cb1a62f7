/** What a checkpoint contains. */
import { openGgufSummary } from '../engine/checkpoint/gguf/summary';
import { openCheckpoint } from '../engine/checkpoint/open';
import { type Summary as CheckpointSummary, summarize } from '../engine/checkpoint/summary';
import { isGguf } from '../engine/formats/gguf/file';
import { requirePath } from './given';
import { scriptText } from './naming';
import { failureOf } from './run';

/**
 * Describes a checkpoint from its headers only, so it is fast for any size. As `coppice inspect`.
 * @param checkpoint folder, .safetensors file, index or .gguf file
 * @returns its architecture, sizes and types, and why Coppice cannot compute with it, if so
 * @throws UserError for a file that is not there or broken
 * @example
 * ```ts
 * import { inspect } from 'coppice';
 *
 * const { architecture, blocks, parameters, unsupported } = await inspect('./SmolLM2-135M');
 * console.log(architecture, blocks, parameters, unsupported?.why ?? 'usable');
 * ```
 */
export async function inspect(checkpoint: string): Promise<CheckpointSummary> {
  try {
    requirePath(checkpoint, 'The checkpoint');
    const summary = await summaryOf(checkpoint);
    return { ...summary, notes: summary.notes.map(scriptText) };
  } catch (error) {
    throw failureOf(error);
  }
}

async function summaryOf(path: string): Promise<CheckpointSummary> {
  return (await isGguf(path)) ? (await openGgufSummary(path)).summary : summarize(await openCheckpoint(path));
}
