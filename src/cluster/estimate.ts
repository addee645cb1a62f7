/** What a part of a job is expected to need, from the model's shape and the size of the inputs. Computes no model. */
import type { CutKind } from '../jobs/parts/part-record';

/** The most that one of the parts needs. */
export interface PartEstimate {
  readonly seconds: number;
  /** Of the process, at its peak. */
  readonly memoryBytes: number;
  /** Read from the checkpoint. */
  readonly readBytes: number;
}

/**
 * @param options complete, of the job
 * @param node what a node can do: CPU threads, and operations a second where these are known
 * @returns undefined where the inputs cannot be read from here
 */
export function estimateParts(
  _kind: CutKind,
  _options: object,
  _parts: number,
  _node: { readonly threads: number; readonly flops?: number },
): Promise<PartEstimate | undefined> {
  return Promise.resolve(undefined);
}
