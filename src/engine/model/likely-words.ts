/** The most likely next words of a model and their probabilities, from its last hidden states. */
import { Graph } from '../onnx/graph';
import { likelyLast } from '../onnx/ops/kept-words';
import { linear } from '../onnx/ops/linear';
import { cast } from '../onnx/ops/shapes';
import { float32, floats, integers, type Session } from '../onnx/session';
import { HEAD_LOSS_PIECE, type LikelyWords, tokensPerHeadRun } from './head-loss';
import { finalNorm, finishLogits } from './logits';
import type { Model } from './model';

export class LikelyHead {
  private constructor(
    private readonly model: Model,
    private readonly session: Session,
    private readonly words: number,
  ) {}

  /** @param words kept of each distribution; at most those of the vocabulary */
  static async open(model: Model, words: number): Promise<LikelyHead> {
    const { architecture: a, weights } = model;
    const g = new Graph();
    const x = g.input('x', 'float32', ['tokens', a.hidden]);
    const h = finalNorm(g, x, weights.bind(g, 'finalNorm'), a);
    const logits = [];
    for (let start = 0; start < a.vocabulary; start += HEAD_LOSS_PIECE) {
      const count = Math.min(HEAD_LOSS_PIECE, a.vocabulary - start);
      logits.push(finishLogits(g, linear(g, h, weights.bind(g, 'head', { start, count })), a));
    }
    const likely = likelyLast(g, logits, words);
    g.output('words', cast(g, likely.ids, 'int32'));
    g.output('shares', likely.shares);
    return new LikelyHead(model, await model.openSession(g.serialize(), { prepack: true }), words);
  }

  /** @param states its last hidden states, (tokens, hidden) */
  async run(states: Float32Array): Promise<LikelyWords> {
    const { hidden } = this.model.architecture;
    const tokens = states.length / hidden;
    const words = new Int32Array(tokens * this.words);
    const shares = new Float32Array(tokens * this.words);
    const perRun = tokensPerHeadRun(this.model.architecture);
    for (let at = 0; at < tokens; at += perRun) {
      const some = states.subarray(at * hidden, (at + perRun) * hidden);
      const found = await this.session.run({ x: float32(some, [some.length / hidden, hidden]) });
      words.set(integers(found.words), at * this.words);
      shares.set(floats(found.shares), at * this.words);
    }
    return { words, shares };
  }

  close(): Promise<void> {
    return this.session.close();
  }
}
