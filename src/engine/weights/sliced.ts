/**
 * The weights of a narrower model: rows of q, k, v, gate and up (on top of each other too), columns of o and down, and the
 * means of what is removed as biases. A graph takes them out of the tensors in the files; onnxruntime does that once, when it
 * creates the session.
 */
import type { Architecture } from '../checkpoint/architecture';
import { type PlainShape, plainShape } from '../checkpoint/kinds/plain';
import { type BlockWeightName, type LayerWeightKey, type WeightKey, weightOf } from '../checkpoint/weight-key';
import { groupsOf, type LayerWidth, narrowArchitecture, type Width } from '../checkpoint/width';
import type { Dtype } from '../formats/dtype';
import { requireRows, type Rows, type TensorInfo } from '../formats/tensor';
import type { Graph, Value } from '../onnx/graph';
import { add } from '../onnx/ops/elementwise';
import { takeColumns, takeRows } from '../onnx/ops/shapes';
import { rowWidth, typeInCheckpoint, type WeightSource } from './source';

/** What is kept of a weight, ascending. */
interface Cut {
  readonly axis: 'rows' | 'columns';
  readonly kept: readonly number[];
}

/** The rows or columns of a block that belong together; in matrices of several parts, those of each part. */
type Channels = 'query' | 'key' | 'neuron' | 'qkv' | 'gateUp';

const CUTS: Partial<Readonly<Record<BlockWeightName, readonly [Channels, Cut['axis']]>>> = {
  q: ['query', 'rows'],
  qBias: ['query', 'rows'],
  k: ['key', 'rows'],
  kBias: ['key', 'rows'],
  v: ['key', 'rows'],
  vBias: ['key', 'rows'],
  qkv: ['qkv', 'rows'],
  qkvBias: ['qkv', 'rows'],
  o: ['query', 'columns'],
  gate: ['neuron', 'rows'],
  gateBias: ['neuron', 'rows'],
  up: ['neuron', 'rows'],
  upBias: ['neuron', 'rows'],
  gateUp: ['gateUp', 'rows'],
  gateUpBias: ['gateUp', 'rows'],
  down: ['neuron', 'columns'],
};

/** Numbers to read at a time where only some of them are kept. */
const PIECE = 2 ** 20;

export class Sliced implements WeightSource {
  readonly architecture: Architecture;
  readonly bytesInGraph: number;
  private readonly channels = new Map<string, readonly number[]>();

  /**
   * @param source the wider model; closing this source closes it
   * @param identity of the narrower model
   */
  constructor(
    private readonly source: WeightSource,
    private readonly width: Width,
    readonly identity: string,
  ) {
    this.architecture = narrowArchitecture(source.architecture, width);
    const biases = (width.biases ?? []).reduce((sum, { o, down }) => sum + o.byteLength + down.byteLength, 0);
    this.bytesInGraph = source.bytesInGraph + biases;
  }

  get revision(): string | undefined {
    return this.source.revision;
  }

  shape(key: WeightKey): readonly number[] {
    const cut = this.cut(key);
    if (!cut) return this.bias(key) ? [this.architecture.hidden] : this.source.shape(key);
    const shape = this.source.shape(key);
    return cut.axis === 'rows' ? [cut.kept.length, ...shape.slice(1)] : [shape[0], cut.kept.length];
  }

  bind(g: Graph, key: WeightKey, rows?: Rows | Value): Value {
    const bias = this.bias(key);
    if (bias) return this.bindBias(g, key, bias, rows);
    const cut = this.cut(key);
    if (!cut) return this.source.bind(g, key, rows);
    if (cut.axis === 'columns') return takeColumns(g, this.source.bind(g, key, rows), g.indices(cut.kept));
    if (rows && 'name' in rows) return this.source.bind(g, key, takeRows(g, g.indices(cut.kept), rows));
    return this.source.bind(g, key, g.indices(part(cut.kept, rows)));
  }

  async read(key: WeightKey, rows?: Rows): Promise<Float32Array> {
    const bias = this.bias(key);
    if (bias) return this.readBias(key, bias, rows);
    const cut = this.cut(key);
    if (!cut) return this.source.read(key, rows);
    return cut.axis === 'rows' ? this.readRows(key, part(cut.kept, rows)) : this.readColumns(key, cut.kept, rows);
  }

  stored(key: WeightKey): TensorInfo | undefined {
    return this.cut(key) || this.bias(key) ? undefined : this.source.stored(key);
  }

  /** A new bias is stored like its Linear. */
  storedType(key: WeightKey): Dtype | undefined {
    if (typeof key === 'string' || this.hasOwn(key)) return typeInCheckpoint(this.source, key);
    return typeInCheckpoint(this.source, { ...key, name: key.name === 'oBias' ? 'o' : 'down' });
  }

  close(): Promise<void> {
    return this.source.close();
  }

  /** The numbers of some rows. Rows that lie between them are read with them. @param rows ascending */
  private async readRows(key: WeightKey, rows: readonly number[]): Promise<Float32Array> {
    const width = rowWidth(this.source.shape(key));
    const values = new Float32Array(rows.length * width);
    const atATime = Math.max(1, Math.floor(PIECE / width));
    for (let i = 0; i < rows.length;) {
      const start = rows[i];
      const end = rows.findIndex((row, k) => k > i && row >= start + atATime);
      const group = rows.slice(i, end === -1 ? rows.length : end);
      const read = await this.source.read(key, { start, count: group[group.length - 1] + 1 - start });
      for (const row of group) {
        values.set(read.subarray((row - start) * width, (row - start + 1) * width), i++ * width);
      }
    }
    return values;
  }

  /** The numbers of some columns, row by row. */
  private async readColumns(key: WeightKey, columns: readonly number[], rows?: Rows): Promise<Float32Array> {
    const [all, width] = this.source.shape(key);
    const { start, count } = rows ?? { start: 0, count: all };
    requireRows({ start, count }, all);
    const values = new Float32Array(count * columns.length);
    const atATime = Math.max(1, Math.floor(PIECE / width));
    let at = 0;
    for (let row = start; row < start + count; row += atATime) {
      const piece = { start: row, count: Math.min(atATime, start + count - row) };
      const read = await this.source.read(key, piece);
      for (let base = 0; base < read.length; base += width) {
        for (const column of columns) values[at++] = read[base + column];
      }
    }
    return values;
  }

  private bindBias(g: Graph, key: WeightKey, bias: Float32Array, rows?: Rows | Value): Value {
    if (rows) throw new Error('a bias is bound as a whole');
    const added = g.floats(bias, [bias.length]);
    return this.hasOwn(key) ? add(g, this.source.bind(g, key), added) : added;
  }

  private async readBias(key: WeightKey, bias: Float32Array, rows?: Rows): Promise<Float32Array> {
    const { start, count } = rows ?? { start: 0, count: bias.length };
    requireRows({ start, count }, bias.length);
    const added = bias.slice(start, start + count);
    return this.hasOwn(key) ? (await this.source.read(key, rows)).map((value, i) => value + added[i]) : added;
  }

  /** Whether the wider model has the weight. */
  private hasOwn(key: WeightKey): boolean {
    return weightOf(this.source.architecture, key) !== undefined;
  }

  /** What is added to the stored bias. */
  private bias(key: WeightKey): Float32Array | undefined {
    if (typeof key === 'string') return undefined;
    const biases = this.width.biases?.[key.layer];
    if (key.name === 'oBias') return biases?.o;
    return key.name === 'downBias' ? biases?.down : undefined;
  }

  /** What is kept of the weight; undefined for all of it. */
  private cut(key: WeightKey): Cut | undefined {
    if (typeof key === 'string') return undefined;
    const [channels, axis] = CUTS[key.name] ?? [];
    if (!channels || !axis) return undefined;
    const kept = this.kept(key, channels);
    return kept && { axis, kept };
  }

  /** The kept rows or columns of a block; undefined for all of them. */
  private kept({ layer }: LayerWeightKey, channels: Channels): readonly number[] | undefined {
    const { groups, neurons } = this.width.layers[layer];
    const shape = plainShape(this.source.architecture.layers[layer]);
    const isOfFfn = channels === 'neuron' || channels === 'gateUp';
    if (isOfFfn ? neurons.length === shape.ffn : groups.length === groupsOf(shape)) return undefined;
    const name = `${layer} ${channels}`;
    const all = this.channels.get(name) ?? keptChannels(shape, this.width.layers[layer], channels);
    this.channels.set(name, all);
    return all;
  }
}

/** The numbers of kept rows or columns, ascending. */
function keptChannels(shape: PlainShape, { groups, neurons }: LayerWidth, channels: Channels): readonly number[] {
  const { heads, kvHeads, headDim, ffn } = shape;
  const spread = (width: number): number[] => {
    const size = width / groupsOf(shape);
    return groups.flatMap((group) => Array.from({ length: size }, (_, i) => group * size + i));
  };
  const [queryWidth, keyWidth] = [heads * headDim, kvHeads * headDim];
  const below = (rows: readonly number[], offset: number): number[] => rows.map((row) => row + offset);
  switch (channels) {
    case 'query':
      return spread(queryWidth);
    case 'key':
      return spread(keyWidth);
    case 'neuron':
      return neurons;
    case 'qkv': {
      const keys = spread(keyWidth);
      return [...spread(queryWidth), ...below(keys, queryWidth), ...below(keys, queryWidth + keyWidth)];
    }
    case 'gateUp':
      return [...neurons, ...below(neurons, ffn)];
  }
}

function part(kept: readonly number[], rows: Rows | undefined): readonly number[] {
  if (!rows) return kept;
  requireRows(rows, kept.length);
  return kept.slice(rows.start, rows.start + rows.count);
}
