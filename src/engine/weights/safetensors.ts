/** The weights of a checkpoint in safetensors files. A graph reads them from the files without conversion or copies. */
import { join } from 'node:path';
import type { Architecture } from '../checkpoint/architecture';
import { requireArchitecture } from '../checkpoint/open';
import type { Checkpoint } from '../checkpoint/types';
import { type WeightKey, weightOf } from '../checkpoint/weight-key';
import { OpenFiles } from '../files/open-files';
import { readRows } from '../formats/read-tensor';
import { type StoredTensor, storedTensor } from '../formats/stored-tensor';
import type { Rows } from '../formats/tensor';
import type { Graph, Value } from '../onnx/graph';
import { bindTensor } from './external';
import { Sliced } from './sliced';
import type { WeightSource } from './source';

/** Of a narrowed checkpoint, the parts that it keeps. @throws UserError for a checkpoint that can only be inspected */
export function checkpointWeights(checkpoint: Checkpoint): WeightSource {
  const { narrowing, identity } = checkpoint;
  if (narrowing) return new Sliced(checkpointWeights(narrowing.from), narrowing.width, identity);
  return new SafetensorsWeights(checkpoint, requireArchitecture(checkpoint));
}

/** Passes the weights of a checkpoint to `use`, and closes their files. @throws UserError like `checkpointWeights` */
export async function withWeights<T>(checkpoint: Checkpoint, use: (weights: WeightSource) => Promise<T>): Promise<T> {
  const weights = checkpointWeights(checkpoint);
  try {
    return await use(weights);
  } finally {
    await weights.close();
  }
}

class SafetensorsWeights implements WeightSource {
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

  shape(key: WeightKey): readonly number[] {
    return this.stored(key).shape;
  }

  /** An initializer that remains in its file, in the file's element type, and a Cast that the session folds. */
  bind(g: Graph, key: WeightKey, rows?: Rows | Value): Value {
    const tensor = this.stored(key);
    return bindTensor(g, tensor, tensor.name, rows);
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
