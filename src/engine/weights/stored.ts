/** What sources of weights in a checkpoint's own files share, whatever the format: reading rows, and where tensors are. */
import { join } from 'node:path';
import type { Architecture } from '../checkpoint/architecture';
import type { Checkpoint } from '../checkpoint/types';
import { type WeightKey, weightOf } from '../checkpoint/weight-key';
import { OpenFiles } from '../files/open-files';
import { readRows } from '../formats/read-tensor';
import { type StoredTensor, storedTensor } from '../formats/stored-tensor';
import type { Rows } from '../formats/tensor';
import type { Graph, Value } from '../onnx/graph';
import type { WeightSource } from './source';

export abstract class StoredWeights implements WeightSource {
  readonly identity: string;
  readonly revision: string;
  readonly bytesInGraph = 0;
  private readonly files = new OpenFiles();
  /** The user's names for the files, by resolved path. */
  private readonly paths: ReadonlyMap<string, string>;

  constructor(
    private readonly checkpoint: Checkpoint,
    readonly architecture: Architecture,
  ) {
    this.identity = checkpoint.identity;
    this.revision = JSON.stringify(checkpoint.files.map((f) => [f.file, f.bytes, f.modified, f.inode]));
    this.paths = new Map(checkpoint.shards.map(({ file, name }) => [file, join(checkpoint.folder, name)]));
  }

  abstract bind(g: Graph, key: WeightKey, rows?: Rows | Value): Value;

  shape(key: WeightKey): readonly number[] {
    return this.stored(key).shape;
  }

  async read(key: WeightKey, rows?: Rows): Promise<Float32Array> {
    const tensor = this.stored(key);
    return readRows(await this.files.get(tensor.file, this.paths.get(tensor.file)), tensor, rows);
  }

  /** @throws Error for a missing weight, which opening the checkpoint should have reported */
  stored(key: WeightKey): StoredTensor {
    const name = weightOf(this.architecture, key)?.name;
    const tensor = name === undefined ? undefined : this.checkpoint.tensors.get(name);
    if (!tensor) throw new Error(`${name ?? JSON.stringify(key)} is not in ${this.checkpoint.path}`);
    return storedTensor(tensor);
  }

  close(): Promise<void> {
    return this.files.close();
  }
}
