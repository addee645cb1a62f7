/** The likeness of two models, as sums over positions. */
import type { Comparison } from '../model/divergence';
import type { Likeness } from './result';

/** Adds up comparisons in float64. */
export class LikenessSums {
  private positions = 0;
  private loss = 0;
  private divergence = 0;
  private agreeing = 0;

  add({ losses, divergences, agree }: Comparison): void {
    this.positions += losses.length;
    for (let i = 0; i < losses.length; i++) {
      this.loss += losses[i];
      this.divergence += divergences[i];
      this.agreeing += agree[i];
    }
  }

  likeness(): Likeness {
    const meanNll = this.loss / this.positions;
    return {
      meanNll,
      ppl: Math.exp(meanNll),
      kl: this.divergence / this.positions,
      top1: this.agreeing / this.positions,
    };
  }
}
