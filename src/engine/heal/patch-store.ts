/** New weights in memory. */
import type { WeightKey } from '../checkpoint/weight-key';
import type { KeyedPatch, PatchSink } from '../weights/patches';

export class MemoryPatches implements PatchSink {
  private readonly found: KeyedPatch[] = [];

  add(key: WeightKey, values: Float32Array): Promise<void> {
    this.found.push([key, { kind: 'replace', values }]);
    return Promise.resolve();
  }

  patches(): Promise<readonly KeyedPatch[]> {
    return Promise.resolve(this.found);
  }
}
