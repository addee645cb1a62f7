/** The model that a recipe starts from, as its files are. Reads headers and sizes alone. */
import { mainDtype } from '../engine/checkpoint/main-dtype';
import { openCheckpoint } from '../engine/checkpoint/open';
import { parametersOf } from '../engine/checkpoint/parameters';
import { UserError } from '../engine/errors';

/** The model that a recipe begins with, beside what ships. */
export interface OriginalModel {
  /** Of its files: weights with their headers, config, tokenizer. */
  readonly bytes: number;
  /** What most of it is stored in: "bf16", "Q4_K_M"; null without weights. */
  readonly type: string | null;
  /** Null for a family that Coppice cannot compute. */
  readonly blocks: number | null;
  readonly parameters: number | null;
}

/** Undefined for a model that cannot be opened any more: what was measured of it still says something. */
export async function originalOf(path: string): Promise<OriginalModel | undefined> {
  try {
    const checkpoint = await openCheckpoint(path);
    const { architecture, size, fileType } = checkpoint;
    return {
      bytes: size.all,
      type: fileType ?? mainDtype(checkpoint)?.toLowerCase() ?? null,
      blocks: architecture?.layers.length ?? null,
      parameters: architecture ? parametersOf(architecture) : null,
    };
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
