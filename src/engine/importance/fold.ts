/**
 * A fold as a change of the stream: out + step · M D, where M is what the module before a cut adds (bias and all) and D
 * is fitted so that the stream follows the dense one (healing.md; ReplaceMe). It is the stream of the model whose
 * weights are folded, without new weights.
 *
 * Where a norm stands behind the module's last Linear, no weights give this stream: there it only stands for what healing can
 * bring, and tokens count as they do in the healing of such a family.
 */
import { emptyEquations, type GramForm, GramSums, type NormalEquations } from '../heal/gram';
import type { Panels } from '../heal/blocked';
import { factorOf } from '../heal/fit';
import { HEAL_DEFAULTS } from '../heal/methods';
import { type Factor, type Matrix, NotPositiveDefinite, Products, solveWith } from '../heal/solve';
import { tokenCounts } from '../heal/token-counts';
import type { Model } from '../model/model';
import type { Chunk } from '../model/states';
import { Graph } from '../onnx/graph';
import { mul } from '../onnx/ops/elementwise';
import { lessProduct } from '../onnx/ops/linear';
import { float32, type Session } from '../onnx/session';

/** −step · D, (hidden, hidden). */
export type Correction = Float32Array;

const hasNormBehind = ({ architecture }: Model): boolean => architecture.style.norms !== 'before';

/** X and R, each token by its weight. */
const weighted: GramForm = (g, x, r) => {
  const counts = g.input('counts', 'float32', ['tokens', 1]);
  return { x: mul(g, x, counts), r: mul(g, r, counts) };
};

export class Folder {
  private crossSums: GramSums | undefined;

  private constructor(
    private readonly model: Model,
    private readonly length: number,
    private readonly gramSums: GramSums,
    private readonly correction: Session,
    private readonly products: Products,
  ) {}

  /** @param length tokens of a row */
  static async open(model: Model, length: number, signal?: AbortSignal): Promise<Folder> {
    const { hidden } = model.architecture;
    const sums = await GramSums.open(model, hidden, hidden, hasNormBehind(model) ? weighted : undefined);
    try {
      const g = new Graph();
      const [plain, x] = ['plain', 'x'].map((name) => g.input(name, 'float32', ['tokens', hidden]));
      g.output('y', lessProduct(g, plain, x, g.input('negative', 'float32', [hidden, hidden])));
      const correction = await model.openSession(g.serialize());
      return new Folder(model, length, sums, correction, new Products(model.threads, signal));
    } catch (error) {
      await sums.close();
      throw error;
    }
  }

  get hidden(): number {
    return this.model.architecture.hidden;
  }

  /** Sums for so many fits of what one module adds, each towards a target of its own. */
  sums(fits: number): FoldSums {
    return new FoldSums(this, fits);
  }

  /**
   * Whether all fits of a module have the same X, and so the same XᵀX and factor. Where tokens count by what is wanted, each target makes
   * another X.
   */
  get isShared(): boolean {
    return !hasNormBehind(this.model);
  }

  /**
   * Adds tokens to a fit.
   * @param equations without XᵀX where another fit has it
   * @param moved M, (tokens, hidden)
   * @param after the stream after the module
   * @param target the dense stream where the next kept module starts
   */
  async add(equations: NormalEquations, moved: Float32Array, after: Float32Array, target: Float32Array): Promise<void> {
    const { model, hidden, length } = this;
    const shape = [after.length / hidden, hidden];
    const counts = hasNormBehind(model) && tokenCounts(target, length, model.architecture);
    const isCross = equations.gram.size === 0;
    const sums = isCross
      ? (this.crossSums ??= await GramSums.open(model, hidden, hidden, undefined, 'cross'))
      : this.gramSums;
    await sums.add(equations, moved, float32(target, shape), float32(after, shape), counts ? { counts } : {});
  }

  /**
   * @param gram overwritten
   * @returns undefined if numbers are not finite, or all zero: then the divergence tells so
   * @throws CancelledError
   */
  async factor(gram: Panels): Promise<Factor | undefined> {
    try {
      return await factorOf(gram, HEAL_DEFAULTS.foldRidge, this.products);
    } catch (error) {
      if (error instanceof NotPositiveDefinite) return undefined;
      throw error;
    }
  }

  /** @param cross overwritten @throws CancelledError */
  async solve(factor: Factor, cross: Matrix): Promise<Correction> {
    const { data } = await solveWith(factor, cross, this.products);
    return Float32Array.from(data, (value) => -HEAL_DEFAULTS.stepCut * value);
  }

  /** Writes after + step · M D to `result`. */
  async apply(correction: Correction | undefined, moved: Chunk, after: Chunk, result: Chunk): Promise<void> {
    if (correction === undefined) {
      result.data.set(after.data);
      return;
    }
    const negative = float32(correction, [this.hidden, this.hidden]);
    await this.correction.run({ plain: after.tensor, x: moved.tensor, negative }, { y: result.tensor });
  }

  async close(): Promise<void> {
    await this.gramSums.close();
    await this.crossSums?.close();
    await this.correction.close();
    await this.products.close();
  }
}

/** The sums of fits of what one module adds; XᵀX and its factor are found once where all have the same X. */
export class FoldSums {
  private readonly equations: readonly NormalEquations[];

  constructor(
    private readonly folder: Folder,
    fits: number,
  ) {
    const { hidden, isShared } = folder;
    this.equations = Array.from({ length: fits }, (_, i) => emptyEquations(hidden, hidden, isShared && i > 0));
  }

  /** Adds tokens to the i-th fit, as `Folder.add`. */
  add(i: number, moved: Float32Array, after: Float32Array, target: Float32Array): Promise<void> {
    return this.folder.add(this.equations[i], moved, after, target);
  }

  /** @returns the correction of each fit; undefined if numbers are not finite @throws CancelledError */
  async solve(): Promise<(Correction | undefined)[]> {
    const { folder } = this;
    const found: (Correction | undefined)[] = [];
    let factor: Factor | undefined;
    for (const [i, { gram, cross }] of this.equations.entries()) {
      if (i === 0 || !folder.isShared) factor = await folder.factor(gram);
      found.push(factor && (await folder.solve(factor, cross)));
    }
    return found;
  }
}
