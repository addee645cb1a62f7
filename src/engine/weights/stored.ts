/** What sources of weights in a checkpoint's own files share, whatever the format: reading rows, and where tensors are. */
import { join } from 'node:path';
import type { Architecture } from '../checkpoint/architecture';
import { elements } from '../checkpoint/parameters';
import { storedWeight } from '../checkpoint/stacks';
import type { Checkpoint } from '../checkpoint/types';
import { type WeightKey, weightOf } from '../checkpoint/weight-key';
import { OpenFiles } from '../files/open-files';
import type { Seen } from '../files/regular-file';
import { readRows } from '../formats/read-tensor';
import { type StoredTensor, storedTensor } from '../formats/stored-tensor';
import { requireRows, type Rows } from '../formats/tensor';
import type { Graph, Value } from '../onnx/graph';
import { takeRows } from '../onnx/ops/shapes';
import type { WeightSource } from './source';

/** Bytes of float32 numbers that are dequantized at a time. */
const PIECE_BYTES = 2 ** 23;

export abstract class StoredWeights implements WeightSource {
  readonly identity: string;
  readonly revision: string;
  readonly bytesInGraph = 0;
  private readonly files: OpenFiles;
  /** The user's names for the files, by resolved path. */
  private readonly paths: ReadonlyMap<string, string>;

  /** @param seen is told what `read` reads of its files */
  constructor(
    private readonly checkpoint: Checkpoint,
    readonly architecture: Architecture,
    seen?: Seen,
  ) {
    this.files = new OpenFiles(seen);
    this.identity = checkpoint.identity;
    this.revision = JSON.stringify(checkpoint.files.map((f) => [f.file, f.bytes, f.modified, f.inode]));
    this.paths = new Map(checkpoint.shards.map(({ file, name }) => [file, join(checkpoint.folder, name)]));
  }

  abstract bind(g: Graph, key: WeightKey, rows?: Rows | Value): Value;

  /** The numbers are read when the session opens. */
  protected dequantized(g: Graph, key: WeightKey, { name, shape }: StoredTensor, rows?: Rows | Value): Value {
    if (rows && 'name' in rows) return takeRows(g, this.bind(g, key), rows);
    const { start, count } = rows ?? { start: 0, count: shape[0] };
    requireRows({ start, count }, shape[0]);
    const width = elements(shape.slice(1));
    const atATime = Math.max(1, Math.floor(PIECE_BYTES / (4 * width)));
    const write = async (into: Uint8Array): Promise<void> => {
      for (let row = 0; row < count; row += atATime) {
        const some = Math.min(atATime, count - row);
        const values = await this.read(key, { start: start + row, count: some });
        into.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), 4 * row * width);
      }
    };
    return g.once(`${name}[${start}+${count}]`, () => g.later('float32', [count, ...shape.slice(1)], write));
  }

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
    const tensor = name === undefined ? undefined : storedWeight(this.checkpoint, name);
    if (!tensor) throw new Error(`${name ?? JSON.stringify(key)} is not in ${this.checkpoint.path}`);
    return storedTensor(tensor);
  }

  close(): Promise<void> {
    return this.files.close();
  }
}
