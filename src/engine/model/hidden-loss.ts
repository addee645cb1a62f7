/**
 * A loss on hidden states during training: how far the student's state points away from the teacher's at the same place
 * of the residual stream. It reaches blocks far from the head, where the loss of a deeply cut model says little.
 */
import { gradients } from '../onnx/gradient';
import { Graph } from '../onnx/graph';
import { cosineDistance } from '../onnx/ops/loss';
import { scale as scaled } from '../onnx/ops/elementwise';
import { float32, floats, type Session } from '../onnx/session';
import { gatherRows } from './head-loss';
import type { Model } from './model';
import { NO_TARGET } from './targets';

export interface HiddenGradients {
  /** weight · Σ (1 − cos) over the tokens with a target. */
  readonly loss: number;
  /** ∂(scale · loss)/∂x, (tokens, hidden); zero at positions without a target. */
  readonly dx: Float32Array;
}

export class HiddenLoss {
  private constructor(
    private readonly hidden: number,
    private readonly session: Session,
  ) {}

  /** @param weight factor of the loss, above 0 */
  static async open(model: Model, weight: number): Promise<HiddenLoss> {
    const { hidden } = model.architecture;
    const g = new Graph();
    const x = g.input('x', 'float32', ['tokens', hidden]);
    const teacher = g.input('teacher', 'float32', ['tokens', hidden]);
    const seed = g.input('scale', 'float32', ['tokens']);
    const losses = scaled(g, cosineDistance(g, x, teacher), weight);
    const [dx] = gradients(g, new Map([[losses, seed]]), [x]);
    g.output('losses', losses);
    g.output('dx', dx);
    return new HiddenLoss(hidden, await model.openSession(g.serialize()));
  }

  /**
   * @param x the student's states, (tokens, hidden)
   * @param teacher the teacher's, of the same shape
   * @param targets tells which positions count: those that the head's loss counts, so no padding
   * @param scale factor of every token's loss: 1 / (targets of the whole batch)
   */
  async run(
    x: Float32Array,
    teacher: Float32Array,
    targets: ArrayLike<number>,
    scale: number,
  ): Promise<HiddenGradients> {
    const { hidden } = this;
    const dx = new Float32Array(x.length);
    const wanted = Array.from({ length: targets.length }, (_, i) => i).filter((i) => targets[i] !== NO_TARGET);
    if (wanted.length === 0) return { loss: 0, dx };
    const shape = [wanted.length, hidden];
    const result = await this.session.run({
      x: float32(gatherRows(x, wanted, hidden), shape),
      teacher: float32(gatherRows(teacher, wanted, hidden), shape),
      scale: float32(new Float32Array(wanted.length).fill(scale), [wanted.length]),
    });
    const found = floats(result.dx);
    wanted.forEach((token, i) => dx.set(found.subarray(i * hidden, (i + 1) * hidden), token * hidden));
    return { loss: floats(result.losses).reduce((sum, loss) => sum + loss, 0), dx };
  }

  close(): Promise<void> {
    return this.session.close();
  }
}
