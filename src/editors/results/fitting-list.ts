/** The adapters, or files of healed weights or widths, of the workspace that fit a checkpoint. Each is checked once until it changes. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fitsCheckpoint } from '../../engine/adapter/files';
import type { Checkpoint } from '../../engine/checkpoint/types';
import { ADAPTER_WEIGHTS } from '../../engine/formats/peft';
import { isBeside } from '../../engine/weights/beside';
import { PATCH } from '../../engine/weights/patch-note';
import { WIDTH } from '../../engine/weights/width-note';

/** What is listed. */
interface Kind {
  /** The file that changes with it. */
  readonly fileOf: (path: string) => string;
  readonly fits: (path: string, checkpoint: Checkpoint) => Promise<boolean>;
}

/** Folders of adapters. */
export const ADAPTERS: Kind = { fileOf: (folder) => join(folder, ADAPTER_WEIGHTS), fits: fitsCheckpoint };

/** Files of healed weights. */
export const PATCHES: Kind = { fileOf: (file) => file, fits: (path, checkpoint) => isBeside(path, checkpoint, PATCH) };

/** Files of widths. */
export const WIDTHS: Kind = { fileOf: (file) => file, fits: (path, checkpoint) => isBeside(path, checkpoint, WIDTH) };

export class FittingList {
  private readonly known = new Map<string, { readonly stamp: string; readonly fits: boolean }>();
  private found: readonly string[] = [];

  constructor(
    private readonly checkpoint: Checkpoint,
    private readonly kind: Kind,
  ) {}

  /** Those that fitted at the last check. */
  get fitting(): readonly string[] {
    return this.found;
  }

  async refresh(paths: readonly string[]): Promise<void> {
    const fits = await Promise.all(paths.map((path) => this.fits(path)));
    this.found = paths.filter((_, i) => fits[i]);
  }

  private async fits(path: string): Promise<boolean> {
    const found = await stat(this.kind.fileOf(path)).catch(() => undefined);
    if (!found) return false;
    const stamp = `${found.size} ${found.mtimeMs}`;
    const known = this.known.get(path);
    if (known?.stamp === stamp) return known.fits;
    const fits = await this.kind.fits(path, this.checkpoint);
    this.known.set(path, { stamp, fits });
    return fits;
  }
}
