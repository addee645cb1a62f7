/** The weights of a model whose experts' outputs are multiplied by factors: down_proj and its bias take them. */
import { createHash } from 'node:crypto';
import type { ExpertFactors } from '../checkpoint/kept-experts';
import { ofExpert } from '../checkpoint/kinds/experts';
import type { WeightKey } from '../checkpoint/weight-key';
import type { Dtype } from '../formats/dtype';
import type { Rows, TensorInfo } from '../formats/tensor';
import type { Graph, Value } from '../onnx/graph';
import { scale } from '../onnx/ops/elementwise';
import { Over } from './over';
import { Rounded } from './rounded';
import { readWide, typeInCheckpoint, type WeightSource } from './source';

export class ScaledExperts extends Over {
  private readonly factors: ExpertFactors;
  private readonly digest: string;

  /**
   * @param source closing this source closes it
   * @param factors of every expert of a block of the source, in order; rounded to float32, as a graph has them
   */
  constructor(source: WeightSource, factors: ExpertFactors) {
    super(source);
    this.factors = new Map([...factors].map(([block, each]) => [block, each.map(Math.fround)]));
    this.digest = createHash('sha256')
      .update(`coppice scaled experts 1\n${source.identity}\n${JSON.stringify([...this.factors])}`)
      .digest('hex');
  }

  override get identity(): string {
    return this.digest;
  }

  get revision(): string | undefined {
    return this.source.revision;
  }

  override bind(g: Graph, key: WeightKey, rows?: Rows | Value): Value {
    return scale(g, this.source.bind(g, key, rows), this.factorOf(key));
  }

  /** The float32 product, as a graph has it. */
  override async read(key: WeightKey, rows?: Rows): Promise<Float32Array> {
    return times(await this.source.read(key, rows), this.factorOf(key));
  }

  override async readWide(key: WeightKey, rows?: Rows): Promise<Float64Array> {
    return times(await readWide(this.source, key, rows), this.factorOf(key));
  }

  override stored(key: WeightKey): TensorInfo | undefined {
    return this.factorOf(key) === 1 ? this.source.stored(key) : undefined;
  }

  override storedType(key: WeightKey): Dtype | undefined {
    return typeInCheckpoint(this.source, key);
  }

  /** 1 for all weights but those of an expert's last Linear. */
  private factorOf(key: WeightKey): number {
    if (typeof key === 'string') return 1;
    const { expert, rest } = ofExpert(key.name) ?? {};
    if (expert === undefined || (rest !== 'down' && rest !== 'downBias')) return 1;
    return this.factors.get(key.layer)?.[expert] ?? 1;
  }
}

function times<T extends Float32Array | Float64Array>(values: T, factor: number): T {
  if (factor !== 1) for (let i = 0; i < values.length; i++) values[i] *= factor;
  return values;
}

/** The model with its factors as a written checkpoint has it, where down_proj is rounded once more to the type of its file. */
export const writtenFactors = (source: WeightSource, factors: ExpertFactors): WeightSource =>
  new Rounded(new ScaledExperts(source, factors), source);
