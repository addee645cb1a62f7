/** Which models runs have measured on given windows of a text, so that nothing is measured twice. */
import { evaluatedIn } from '../../../format/evaluated';
import type { ReadText } from '../../../format/text-share';
import type { RunDigest } from '../digest-types';

/** Windows of a text. */
export interface JudgedWindows extends ReadText {
  readonly window: number;
  /** The most that are read. */
  readonly limit: number;
}

/**
 * @param identity of the model's files
 * @param compared it must have been compared with the unpruned model too, and have continued some rows
 */
export function isJudged(
  runs: readonly RunDigest[],
  identity: string,
  { sha256, share, window, limit }: JudgedWindows,
  compared: boolean,
): boolean {
  return runs.some((run) => {
    const { model, removed, inputs, settings, adapter, patch, width } = run;
    const quality = evaluatedIn(run);
    if (quality.length === 0 || model.identity !== identity || removed.length > 0) return false;
    if ([adapter, patch, width].some((on) => on !== undefined)) return false;
    const told = new Map(settings);
    const isSame = told.get('window') === String(window) && told.get('limit') === String(limit);
    const isText = inputs.some((each) => each.role === 'text' && each.hash === sha256 && each.share === share);
    if (!isSame || !isText) return false;
    return !compared || quality.some(({ kl, repetition }) => kl !== undefined && repetition !== undefined);
  });
}
