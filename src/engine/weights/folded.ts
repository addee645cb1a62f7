/** The weights of a model with its factors multiplied into them (Falcon-H1), so that nothing but matrices is left of them. */
import type { Architecture } from '../checkpoint/architecture';
import { withoutFactors } from '../checkpoint/gguf/as-gguf';
import { attentionOf } from '../checkpoint/kinds/parts';
import type { ParallelMixer } from '../checkpoint/kinds/parallel';
import { mambaWidths } from '../checkpoint/kinds/mamba';
import { type LayerWeightKey, type WeightKey, weightOf } from '../checkpoint/weight-key';
import { requireRows, type Rows, type TensorInfo } from '../formats/tensor';
import type { Graph, Value } from '../onnx/graph';
import { takeRows } from '../onnx/ops/shapes';
import { Over } from './over';
import { readWide, rowWidth, type WeightSource } from './source';

/** Factors of the rows of a weight: `of[i]` for the next `counts[i]` of them. */
interface RowFactors {
  readonly of: readonly number[];
  readonly counts: readonly number[];
}

export class Folded extends Over {
  private readonly own: Architecture;

  constructor(source: WeightSource) {
    super(source);
    this.own = withoutFactors(source.architecture);
  }

  override get architecture(): Architecture {
    return this.own;
  }

  override shape(key: WeightKey): readonly number[] {
    return weightOf(this.own, key)!.shape;
  }

  override bind(g: Graph, key: WeightKey, rows?: Rows | Value): Value {
    if (this.isKept(key)) return this.source.bind(g, key, rows);
    if (rows && 'name' in rows) return takeRows(g, this.bind(g, key), rows);
    const [all, ...width] = this.shape(key);
    const asked = rows ?? { start: 0, count: all };
    const write = async (into: Uint8Array): Promise<void> => {
      const { buffer } = await this.read(key, asked);
      into.set(new Uint8Array(buffer));
    };
    return g.later('float32', [asked.count, ...width], write);
  }

  override async read(key: WeightKey, rows?: Rows): Promise<Float32Array> {
    return Float32Array.from(await this.readWide(key, rows));
  }

  override async readWide(key: WeightKey, rows?: Rows): Promise<Float64Array> {
    const shape = this.shape(key);
    const { start, count } = rows ?? { start: 0, count: shape[0] };
    requireRows({ start, count }, shape[0]);
    // A convolution without a bias has one of zeros.
    if (!weightOf(this.source.architecture, key)) return new Float64Array(count);
    const values = await readWide(this.source, key, { start, count });
    const width = rowWidth(shape);
    const factors = this.factorsOf(key);
    const ends = factors.counts.map((_, i) => factors.counts.slice(0, i + 1).reduce((a, b) => a + b, 0));
    for (let row = 0; row < count; row++) {
      const factor = factors.of[ends.findIndex((end) => start + row < end)];
      for (let i = row * width; i < (row + 1) * width; i++) values[i] *= factor;
    }
    return values;
  }

  override stored(key: WeightKey): TensorInfo | undefined {
    return this.isKept(key) ? this.source.stored(key) : undefined;
  }

  /** Whether the numbers are those of the source. */
  private isKept(key: WeightKey): boolean {
    return (
      weightOf(this.source.architecture, key) !== undefined && this.factorsOf(key).of.every((factor) => factor === 1)
    );
  }

  private factorsOf(key: WeightKey): RowFactors {
    const { style } = this.source.architecture;
    const [all] = this.shape(key);
    const one = (factor: number): RowFactors => ({ of: [factor], counts: [all] });
    if (key === 'embed') return one(style.embedScale);
    if (key === 'head') return one(style.logitScale);
    return typeof key === 'string' ? one(1) : (this.ofLayer(key) ?? one(1));
  }

  private ofLayer({ layer, name }: LayerWeightKey): RowFactors | undefined {
    const { layers, style } = this.source.architecture;
    const { mixer, ffn } = layers[layer];
    if (mixer.kind !== 'parallel' || ffn.kind !== 'dense') return undefined;
    const [all] = this.shape({ layer, name });
    const { headDim } = attentionOf(layers[layer]);
    // Scores are multiplied by what keys are.
    const keys = (style.scoreScale ?? 1 / Math.sqrt(headDim)) * Math.sqrt(headDim);
    const { input, attention, mamba } = mixer.factors;
    const factors: Readonly<Record<string, number | undefined>> = {
      q: input,
      k: input * keys,
      v: input,
      o: attention,
      ssmOut: mamba,
      gate: ffn.factors?.gate,
      down: ffn.factors?.output,
    };
    if (name === 'ssmIn') return ofParts(mixer);
    return { of: [factors[name] ?? 1], counts: [all] };
  }
}

/** Rows of the first matrix of Mamba: gate, x, B, C and steps of time. */
function ofParts({ mamba }: ParallelMixer): RowFactors {
  const { inner, shared } = mambaWidths(mamba);
  const { input, parts } = mamba.factors;
  return { of: parts.map((part) => input * part), counts: [inner, inner, shared, shared, mamba.heads] };
}
