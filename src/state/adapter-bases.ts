/** The identity of the model that each adapter belongs to: by the record in its folder, else the first listed model that it fits. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fitsCheckpoint } from '../engine/adapter/files';
import type { Checkpoint } from '../engine/checkpoint/types';
import { ADAPTER_WEIGHTS } from '../engine/formats/peft';
import type { Origins } from './origins';

export class AdapterBases {
  /** Whether an adapter fits a model, by both. */
  private readonly known = new Map<string, boolean>();

  constructor(private readonly origins: Origins) {}

  /** @param models those that it may belong to, originals first @returns undefined if it fits none of them */
  async of(folder: string, models: readonly Checkpoint[]): Promise<string | undefined> {
    const origin = await this.origins.of(folder);
    if (origin && models.some(({ identity }) => identity === origin.identity)) return origin.identity;
    const found = await stat(join(folder, ADAPTER_WEIGHTS)).catch(() => undefined);
    if (!found) return undefined;
    for (const model of models) {
      const key = [folder, found.size, found.mtimeMs, model.identity].join(' ');
      const fits = this.known.get(key) ?? (await fitsCheckpoint(folder, model));
      this.known.set(key, fits);
      if (fits) return model.identity;
    }
    return undefined;
  }
}
