/**
 * A fold as a change of the stream: out + step · M D, where M is what the module before a cut adds (bias and all) and D
 * is fitted so that the stream follows the dense one (healing.md; ReplaceMe). It is the stream of the model whose
 * weights are folded, without new weights.
 *
 * Where a norm stands behind the module's last Linear, no weights give this stream: there it only stands for what healing can
 * bring, and tokens count as they do in the healing of such a family.
 */
import { emptyEquations, type GramForm, GramSums, type NormalEquations } from '../heal/gram';
import { fitWith } from '../heal/fit';
import { HEAL_DEFAULTS } from '../heal/methods';
import { NotPositiveDefinite, Products } from '../heal/solve';
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
  private constructor(
    private readonly model: Model,
    private readonly length: number,
    private readonly sums: GramSums,
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

  private get hidden(): number {
    return this.model.architecture.hidden;
  }

  /** The equations of a fit, without any tokens. */
  equations(): NormalEquations {
    return emptyEquations(this.hidden, this.hidden);
  }

  /**
   * Adds tokens to a fit.
   * @param moved M, (tokens, hidden)
   * @param after the stream after the module
   * @param target the dense stream where the next kept module starts
   */
  async add(equations: NormalEquations, moved: Float32Array, after: Float32Array, target: Float32Array): Promise<void> {
    const shape = [after.length / this.hidden, this.hidden];
    const counts = hasNormBehind(this.model) && tokenCounts(target, this.length, this.model.architecture);
    await this.sums.add(equations, moved, float32(target, shape), float32(after, shape), counts ? { counts } : {});
  }

  /**
   * @param equations overwritten
   * @returns undefined if numbers are not finite: then the divergence tells so
   * @throws CancelledError
   */
  async solve(equations: NormalEquations): Promise<Correction | undefined> {
    try {
      const { delta } = await fitWith(equations, HEAL_DEFAULTS.foldRidge, this.products);
      return delta && Float32Array.from(delta.data, (value) => -HEAL_DEFAULTS.stepCut * value);
    } catch (error) {
      if (error instanceof NotPositiveDefinite) return undefined;
      throw error;
    }
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
    await this.sums.close();
    await this.correction.close();
    await this.products.close();
  }
}
