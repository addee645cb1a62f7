/**
 * Sums of products over the tokens of a text: XᵀX and XᵀR. onnxruntime multiplies some tokens at a time in float32; the
 * results are added in float64. XᵀX is symmetric, so only stripes of its lower triangle are computed.
 */
import { Graph, type Value } from '../onnx/graph';
import { sub } from '../onnx/ops/elementwise';
import { transposedProduct } from '../onnx/ops/linear';
import { concat, split } from '../onnx/ops/shapes';
import { float32, floats, type Session, type Tensor } from '../onnx/session';
import type { Model } from '../model/model';
import { addTo, PANEL, Panels, panelStarts, panelWidth } from './blocked';
import type { Matrix } from './solve';

/** The normal equations of one least-squares fit. */
export interface NormalEquations {
  /** XᵀX, (d, d) */
  readonly gram: Panels;
  /** XᵀR, (d, h) */
  readonly cross: Matrix;
}

export function emptyEquations(inputs: number, outputs: number): NormalEquations {
  return {
    gram: new Panels(inputs),
    cross: { data: new Float64Array(inputs * outputs), rows: inputs, columns: outputs },
  };
}

/** The sums over both sets of tokens. */
export function addEquations(a: NormalEquations, b: NormalEquations): NormalEquations {
  const cross = { ...a.cross, data: a.cross.data.slice() };
  addTo(cross.data, b.cross.data);
  return { gram: a.gram.plus(b.gram), cross };
}

/** Stripes of the lower triangle. More of them save little, and make products too thin to be fast. */
const STRIPES = 4;

export class GramSums {
  /** The same memory takes the results of every run. */
  private readonly results: Readonly<Record<string, Tensor>>;

  private constructor(
    private readonly session: Session,
    private readonly inputs: number,
    outputs: number,
    private readonly stripes: readonly number[],
  ) {
    let start = 0;
    const results: Record<string, Tensor> = { cross: zeros(inputs, outputs) };
    for (const [s, width] of stripes.entries()) {
      results[`gram${s}`] = zeros(inputs - start, width);
      start += width;
    }
    this.results = results;
  }

  /**
   * @param inputs width of X
   * @param outputs width of R
   * @param bias is subtracted from R too
   */
  static async open(
    model: Model,
    inputs: number,
    outputs: number,
    bias?: (g: Graph) => Value | undefined,
  ): Promise<GramSums> {
    const stripes = stripesOf(inputs);
    const g = new Graph();
    const x = g.input('x', 'float32', ['tokens', inputs]);
    const [wanted, found] = ['wanted', 'found'].map((name) => g.input(name, 'float32', ['tokens', outputs]));
    const own = bias?.(g);
    const difference = sub(g, wanted, found);
    const r = own ? sub(g, difference, own) : difference;
    const pieces = split(g, x, 1, stripes);
    pieces.forEach((piece, s) => g.output(`gram${s}`, transposedProduct(g, concat(g, pieces.slice(s), 1), piece)));
    g.output('cross', transposedProduct(g, x, r));
    return new GramSums(await model.openSession(g.serialize()), inputs, outputs, stripes);
  }

  /**
   * Adds the products of some tokens, with R = wanted − found.
   * @param x (tokens, inputs)
   * @param wanted, found (tokens, outputs)
   */
  async add({ gram, cross }: NormalEquations, x: Float32Array, wanted: Tensor, found: Tensor): Promise<void> {
    const feeds = { x: float32(x, [x.length / this.inputs, this.inputs]), wanted, found };
    const results = await this.session.run(feeds, this.results);
    let start = 0;
    for (const [s, width] of this.stripes.entries()) {
      addStripe(gram, floats(results[`gram${s}`]), start, width);
      start += width;
    }
    addTo(cross.data, floats(results.cross));
  }

  close(): Promise<void> {
    return this.session.close();
  }
}

const zeros = (rows: number, columns: number): Tensor => float32(new Float32Array(rows * columns), [rows, columns]);

/** Widths of stripes that end where panels end. */
function stripesOf(size: number): number[] {
  const panels = Math.ceil(size / PANEL);
  const perStripe = Math.ceil(panels / STRIPES) * PANEL;
  const widths: number[] = [];
  for (let start = 0; start < size; start += perStripe) widths.push(Math.min(perStripe, size - start));
  return widths;
}

/** Adds a stripe of columns, (size − start, width), to the panels in it. */
function addStripe(gram: Panels, stripe: Float32Array, start: number, width: number): void {
  const { size, panels } = gram;
  for (const [p, first] of panelStarts(size).entries()) {
    if (first < start || first >= start + width) continue;
    const panel = panels[p];
    const columns = panelWidth(size, first);
    let at = 0;
    for (let row = first; row < size; row++) {
      const from = (row - start) * width + first - start;
      for (let j = 0; j < columns; j++) panel[at++] += stripe[from + j];
    }
  }
}
