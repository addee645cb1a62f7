/** The adapters of the workspace that fit a checkpoint. Each adapter is checked once until its file changes. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Checkpoint } from '../../engine/checkpoint/types';
import { fitsCheckpoint } from '../../engine/adapter/files';
import { ADAPTER_WEIGHTS } from '../../engine/formats/peft';

export class AdapterList {
  private readonly known = new Map<string, { readonly stamp: string; readonly fits: boolean }>();
  private fitting: readonly string[] = [];

  constructor(private readonly checkpoint: Checkpoint) {}

  /** The adapters that fitted at the last check. */
  get adapters(): readonly string[] {
    return this.fitting;
  }

  async refresh(folders: readonly string[]): Promise<void> {
    const fits = await Promise.all(folders.map((folder) => this.fits(folder)));
    this.fitting = folders.filter((_, i) => fits[i]);
  }

  private async fits(folder: string): Promise<boolean> {
    const found = await stat(join(folder, ADAPTER_WEIGHTS)).catch(() => undefined);
    if (!found) return false;
    const stamp = `${found.size} ${found.mtimeMs}`;
    const known = this.known.get(folder);
    if (known?.stamp === stamp) return known.fits;
    const fits = await fitsCheckpoint(folder, this.checkpoint);
    this.known.set(folder, { stamp, fits });
    return fits;
  }
}
