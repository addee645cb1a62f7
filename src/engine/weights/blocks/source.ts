/**
 * A source whose Linears and head are applied with weights in blocks of 4 or 8 bits. Embedding, norms and biases are those
 * of the source below, and so are the numbers that `bind` and `read` give. The products of an adapter stay float32, beside
 * those of the quantized base.
 */
import { createHash } from 'node:crypto';
import { keyText, type WeightKey } from '../../checkpoint/weight-key';
import { requireRows, type Rows } from '../../formats/tensor';
import type { Dtype } from '../../formats/dtype';
import type { Graph, Value } from '../../onnx/graph';
import { BLOCK, type BlockMatrix, blockLinear, blocksOf, withBlockSums } from '../../onnx/ops/blocks';
import { concat, split } from '../../onnx/ops/shapes';
import { spread } from '../../onnx/ops/spread';
import { bindBytes } from '../external';
import { Over } from '../over';
import { type AppliedLinear, type LowRankSum, originOf, typeInCheckpoint, type WeightSource } from '../source';
import { BITS, type BlockLayout, type BlockPrecision, bytesOfBlocks, type PlacedMatrix } from './layout';
import { QUANTIZER_VERSION } from './quantize-model';
import type { BlockStore } from './store';

export class BlockWeights extends Over {
  private readonly ownIdentity: string;
  /** The same over the sources below products of low rank; these are closed with this one. */
  private readonly bases = new Map<WeightSource, BlockWeights>();

  /**
   * @param source closing this source closes it
   * @param digests of the blocks (quantize-model.ts)
   */
  constructor(
    source: WeightSource,
    readonly precision: BlockPrecision,
    private readonly layout: BlockLayout,
    private readonly store: BlockStore,
    private readonly digests: readonly string[],
  ) {
    super(source);
    const about = `coppice blocks ${QUANTIZER_VERSION} ${BITS[precision]}\n${source.identity}`;
    this.ownIdentity = createHash('sha256').update(about).digest('hex');
  }

  override get identity(): string {
    return this.ownIdentity;
  }

  override get bytesInGraph(): number {
    return this.source.bytesInGraph + (this.store.inMemory ? this.layout.bytes : 0);
  }

  get revision(): string | undefined {
    return this.source.revision;
  }

  override storedType(key: WeightKey): Dtype | undefined {
    return typeInCheckpoint(this.source, key);
  }

  /** The quantized numbers are those of the base. */
  lowRank(key: WeightKey): LowRankSum | undefined {
    const sum = typeof key === 'string' ? undefined : this.source.lowRank?.(key);
    if (!sum) return undefined;
    let base = this.bases.get(sum.base);
    if (!base) {
      base = new BlockWeights(sum.base, this.precision, this.layout, this.store, this.digests);
      this.bases.set(sum.base, base);
    }
    return { base, product: sum.product };
  }

  origin(key: WeightKey): WeightSource {
    return originOf(this.source, key);
  }

  blockIdentity(layer: number): string {
    return `${this.precision} ${this.digests[layer]}`;
  }

  /** Neighbours with all their rows are one product, which is then split. */
  apply(g: Graph, x: Value, linears: readonly AppliedLinear[]): Value[] {
    const matrices = linears.map(({ key }) => this.matrix(key));
    const input = preparedFor(g, x, matrices[0]);
    if (!areOne(linears, matrices)) {
      return linears.map(({ rows, bias }, i) => blockLinear(g, input, this.bindMatrix(g, matrices[i], rows), bias));
    }
    const extents = matrices.map(({ out }) => out);
    const all = { ...matrices[0], out: extents.reduce((a, b) => a + b) };
    const biases = linears.flatMap(({ bias }) => bias ?? []);
    const bias = biases.length > 0 ? concat(g, biases, 0) : undefined;
    return split(g, blockLinear(g, input, this.bindMatrix(g, all), bias), 1, extents);
  }

  override async close(): Promise<void> {
    await this.store.close();
    await this.source.close();
  }

  private matrix(key: WeightKey): PlacedMatrix {
    const matrix = this.layout.matrices.get(keyText(key));
    if (!matrix) throw new Error(`${keyText(key)} is not quantized`);
    return matrix;
  }

  private bindMatrix(g: Graph, matrix: PlacedMatrix, rows?: Rows): BlockMatrix {
    const { key, bits, out, columns } = matrix;
    const { start, count } = rows ?? { start: 0, count: out };
    requireRows({ start, count }, out);
    const [before, bytes] = [bytesOfBlocks(columns, bits, start), bytesOfBlocks(columns, bits, count)];
    const part = (name: keyof typeof bytes, type: 'uint8' | 'float32', shape: readonly number[]): Value => {
      const data = this.store.at(matrix[name] + before[name], bytes[name]);
      return bindBytes(g, `${keyText(key)}[${start}] ${name}`, type, shape, data);
    };
    return {
      bits,
      columns,
      values: part('values', 'uint8', [count, blocksOf(columns), (BLOCK * bits) / 8]),
      scales: part('scales', 'float32', [count * blocksOf(columns)]),
      zeros: part('zeros', 'uint8', [bytes.zeros]),
    };
  }
}

/** What the operator takes for x. All matrices that are applied to one input are alike in this. */
function preparedFor(g: Graph, x: Value, { width, columns, isSpread }: PlacedMatrix): Value {
  const input = isSpread ? spread(g, x) : x;
  return columns > width ? withBlockSums(g, input) : input;
}

/** Whether whole matrices follow each other, so that they are one with all their rows. */
function areOne(linears: readonly AppliedLinear[], matrices: readonly PlacedMatrix[]): boolean {
  const biases = linears.filter(({ bias }) => bias).length;
  if (linears.length === 1 || linears.some(({ rows }) => rows) || ![0, linears.length].includes(biases)) return false;
  return matrices.every((matrix, i) => i === 0 || matrices[i - 1].next === keyText(matrix.key));
}
