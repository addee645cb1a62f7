/**
 * Sums of products over the tokens of a text: XᵀX and XᵀR. onnxruntime multiplies some tokens at a time in float32; the
 * results are added in float64. XᵀX is symmetric, so only its lower triangle is computed, in blocks.
 */
import { Graph, type Value } from '../onnx/graph';
import { mul, sub } from '../onnx/ops/elementwise';
import { linear, product } from '../onnx/ops/linear';
import { reduceSum } from '../onnx/ops/reduce';
import { split, transpose } from '../onnx/ops/shapes';
import { type Feeds, float32, floats, type Session, type Tensor } from '../onnx/session';
import type { Model } from '../model/model';
import { addTo, PANEL, panelOf, Panels } from './blocked';
import type { Matrix } from './solve';

/** The normal equations of one least-squares fit. */
export interface NormalEquations {
  /** XᵀX, (d, d) */
  readonly gram: Panels;
  /** XᵀR, (d, h) */
  readonly cross: Matrix;
}

/** @param isCross whether XᵀX is not wanted: its size is 0 then */
export function emptyEquations(inputs: number, outputs: number, isCross = false): NormalEquations {
  return {
    gram: new Panels(isCross ? 0 : inputs),
    cross: { data: new Float64Array(inputs * outputs), rows: inputs, columns: outputs },
  };
}

/** The sums over both sets of tokens. */
export function addEquations(a: NormalEquations, b: NormalEquations): NormalEquations {
  const cross = { ...a.cross, data: a.cross.data.slice() };
  addTo(cross.data, b.cross.data);
  return { gram: a.gram.plus(b.gram), cross };
}

/**
 * Stripes of columns; only blocks on and below the diagonal are computed. More stripes save little, and make products
 * too thin to be fast.
 */
const STRIPES = 6;
/** Of wide matrices, whose stripes are wide enough in any case. */
const WIDE_STRIPES = 12;

/** Columns of X that belong together. */
interface Stripe {
  readonly start: number;
  readonly width: number;
}

/** X and R = wanted − found, as a graph has them → those whose products are summed. */
export type GramForm = (g: Graph, x: Value, r: Value) => { readonly x: Value; readonly r: Value };

const asTheyAre: GramForm = (_, x, r) => ({ x, r });

export class GramSums {
  /** The same memory takes the results of every run. */
  private readonly results: Readonly<Record<string, Tensor>>;

  private constructor(
    private readonly session: Session,
    private readonly inputs: number,
    outputs: number,
    private readonly blocks: readonly (readonly [Stripe, Stripe])[],
  ) {
    const results: Record<string, Tensor> = outputs > 0 ? { cross: zeros(inputs, outputs) } : {};
    for (const [b, [rows, columns]] of blocks.entries()) results[`gram${b}`] = zeros(rows.width, columns.width);
    this.results = results;
  }

  /**
   * @param inputs width of X
   * @param outputs width of R
   * @param form turns X and R into those that are summed; it may have inputs of its own
   * @param wantedSums both sums, or XᵀR alone, or none where only |R|² is wanted
   */
  static async open(
    model: Model,
    inputs: number,
    outputs: number,
    form: GramForm = asTheyAre,
    wantedSums: 'both' | 'cross' | 'none' = 'both',
  ): Promise<GramSums> {
    const stripes = wantedSums === 'both' ? stripesOf(inputs) : [];
    const g = new Graph();
    const given = g.input('x', 'float32', ['tokens', inputs]);
    const [wanted, found] = ['wanted', 'found'].map((name) => g.input(name, 'float32', ['tokens', outputs]));
    const { x, r } = form(g, given, sub(g, wanted, found));
    const blocks: [Stripe, Stripe][] = [];
    // Transposed once: a Gemm that transposes its first factor does so again for every few columns of the second.
    const transposed = wantedSums === 'none' ? undefined : transpose(g, x, [1, 0]);
    if (transposed && wantedSums === 'both') {
      const widths = stripes.map(({ width }) => width);
      const pieces = split(g, transposed, 0, widths);
      for (const [c, columns] of stripes.entries()) {
        for (let s = c; s < stripes.length; s++) {
          g.output(`gram${blocks.length}`, linear(g, pieces[s], pieces[c]));
          blocks.push([stripes[s], columns]);
        }
      }
    }
    if (transposed) g.output('cross', product(g, transposed, r));
    g.output('squares', reduceSum(g, mul(g, r, r), [1]));
    return new GramSums(await model.openSession(g.serialize()), inputs, transposed ? outputs : 0, blocks);
  }

  /**
   * Adds the products of some tokens, with R = wanted − found.
   * @param equations undefined where only Σ R² is wanted
   * @param x (tokens, inputs)
   * @param wanted, found (tokens, outputs)
   * @param more inputs of the form
   * @returns |R|² of each token
   */
  async add(
    equations: NormalEquations | undefined,
    x: Float32Array,
    wanted: Tensor,
    found: Tensor,
    more: Feeds = {},
  ): Promise<Float32Array> {
    const feeds = { x: float32(x, [x.length / this.inputs, this.inputs]), wanted, found, ...more };
    const results = await this.session.run(feeds, { ...this.results, squares: null });
    if (equations) {
      for (const [b, block] of this.blocks.entries()) addBlock(equations.gram, floats(results[`gram${b}`]), block);
      addTo(equations.cross.data, floats(results.cross));
    }
    return floats(results.squares);
  }

  close(): Promise<void> {
    return this.session.close();
  }
}

const zeros = (rows: number, columns: number): Tensor => float32(new Float32Array(rows * columns), [rows, columns]);

/** Stripes that end where panels end. */
function stripesOf(size: number): Stripe[] {
  const panel = panelOf(size);
  const stripes = panel === PANEL ? STRIPES : WIDE_STRIPES;
  const width = Math.ceil(Math.ceil(size / panel) / stripes) * panel;
  return Array.from({ length: Math.ceil(size / width) }, (_, s) => {
    const start = s * width;
    return { start, width: Math.min(width, size - start) };
  });
}

/** Adds a block, (rows, columns), to the panels of its columns. */
function addBlock(gram: Panels, block: Float32Array, [rows, columns]: readonly [Stripe, Stripe]): void {
  for (let start = columns.start; start < columns.start + columns.width; start += gram.panel) {
    const panel = gram.panels[start / gram.panel];
    const width = gram.width(start);
    const first = Math.max(rows.start, start); // the panel begins on the diagonal
    let at = (first - start) * width;
    for (let row = first; row < rows.start + rows.width; row++) {
      const from = (row - rows.start) * columns.width + start - columns.start;
      for (let j = 0; j < width; j++) panel[at++] += block[from + j];
    }
  }
}
