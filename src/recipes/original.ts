/** The model that a recipe starts from, as its files are. Reads headers and sizes alone. */
import { mainDtype } from '../engine/checkpoint/main-dtype';
import { openCheckpoint } from '../engine/checkpoint/open';
import { parametersOf } from '../engine/checkpoint/parameters';
import { findAccompanyingFiles } from '../engine/write/accompanying-files';
import { UserError } from '../engine/errors';

export interface OriginalModel {
  /** Of its files: weights with their headers, config, tokenizer. */
  readonly bytes: number;
  /** What most of it is stored in: "bf16"; null without weights. */
  readonly type: string | null;
  /** Null for a family that Coppice cannot compute. */
  readonly blocks: number | null;
  readonly parameters: number | null;
}

/** Undefined for a model that cannot be opened any more: what was measured of it still says something. */
export async function originalOf(path: string): Promise<OriginalModel | undefined> {
  try {
    const checkpoint = await openCheckpoint(path);
    const { architecture, files } = checkpoint;
    const { found } = await findAccompanyingFiles(checkpoint.folder);
    const beside = checkpoint.config === undefined ? [] : found;
    return {
      bytes: [...files, ...beside].reduce((sum, { bytes }) => sum + bytes, 0),
      type: mainDtype(checkpoint)?.toLowerCase() ?? null,
      blocks: architecture?.layers.length ?? null,
      parameters: architecture ? parametersOf(architecture) : null,
    };
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
