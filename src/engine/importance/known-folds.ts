/**
 * Folds that were found before. What is folded follows from the modules that a stream has passed, and from where each of its folds aimed:
 * at the next kept module. So a round that removes a late block meets the folds of the rounds before it again, and a variant that
 * becomes the model has been folded already.
 */
import type { LeftOver } from './healed-sweep';
import type { Correction } from './fold';
import type { Stage } from './healed-walk';

/** A fold: of which stream, after which module, and the module where its target starts. */
export function foldName(stages: readonly Stage[], s: number, lacks: number | undefined, target: number): string {
  const passed = stages
    .slice(0, s + 1)
    .filter(({ k }) => k !== lacks)
    .map(({ module: { block, attention } }) => 2 * block + (attention ? 0 : 1));
  return `${passed.join()}>${target}`;
}

/** A correction, or that none is finite. */
interface Known {
  readonly correction: Correction | undefined;
}

export class KnownFolds {
  private readonly left = new Map<string, LeftOver>();
  /** The one that was used last is the last. */
  private readonly corrections = new Map<string, Known>();

  /** @param most corrections to keep */
  constructor(private readonly most: number) {}

  leftOver(name: string): LeftOver | undefined {
    return this.left.get(name);
  }

  correction(name: string): Known | undefined {
    const known = this.corrections.get(name);
    if (known) this.keep(name, known.correction);
    return known;
  }

  keepLeftOver(name: string, left: LeftOver): void {
    this.left.set(name, left);
  }

  keep(name: string, correction: Correction | undefined): void {
    this.corrections.delete(name);
    this.corrections.set(name, { correction });
    const [oldest] = this.corrections.keys();
    if (this.corrections.size > this.most) this.corrections.delete(oldest);
  }
}
