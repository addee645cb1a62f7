/** The weights of a checkpoint in safetensors files. A graph reads them from the files without conversion or copies. */
import { join } from 'node:path';
import type { Architecture } from '../checkpoint/architecture';
import { requireArchitecture } from '../checkpoint/open';
import type { Checkpoint } from '../checkpoint/types';
import { type WeightKey, weightOf } from '../checkpoint/weight-key';
import { OpenFiles } from '../files/open-files';
import { isWeightDtype, type WeightDtype } from '../formats/dtype';
import { readRows } from '../formats/read-tensor';
import { bytesOfRows, type StoredTensor, storedTensor } from '../formats/stored-tensor';
import type { Rows } from '../formats/tensor';
import type { ElementType, Graph, Value } from '../onnx/graph';
import { cast, takeRows } from '../onnx/ops/shapes';
import type { WeightSource } from './source';

const ELEMENT_TYPES: Record<WeightDtype, ElementType> = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' };

/** @throws UserError for a checkpoint that can only be inspected */
export function checkpointWeights(checkpoint: Checkpoint): WeightSource {
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
  readonly bytesInGraph = 0;
  private readonly files = new OpenFiles();
  /** The user's names for the files, by resolved path. */
  private readonly paths: ReadonlyMap<string, string>;

  constructor(
    private readonly checkpoint: Checkpoint,
    readonly architecture: Architecture,
  ) {
    this.identity = checkpoint.identity;
    this.paths = new Map(checkpoint.shards.map(({ file, name }) => [file, join(checkpoint.folder, name)]));
  }

  shape(key: WeightKey): readonly number[] {
    return this.stored(key).shape;
  }

  /** An initializer that remains in its file, in the file's element type, and a Cast that the session folds. */
  bind(g: Graph, key: WeightKey, rows?: Rows | Value): Value {
    const tensor = this.stored(key);
    if (rows && 'name' in rows) return cast(g, takeRows(g, external(g, tensor), rows), 'float32');
    return cast(g, external(g, tensor, rows), 'float32');
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

/** A graph may have several pieces of a weight, so the name of a piece includes its start. */
function external(g: Graph, tensor: StoredTensor, rows?: Rows): Value {
  const { name, dtype, shape } = tensor;
  if (!isWeightDtype(dtype)) throw new Error(`${name} has dtype ${dtype}`);
  const [own, ownShape] = rows ? [`${name}[${rows.start}]`, [rows.count, ...shape.slice(1)]] : [name, shape];
  return g.external(own, ELEMENT_TYPES[dtype], ownShape, bytesOfRows(tensor, rows));
}
