/**
 * Texts that grow token by token, where the angles of a rotation depend on the length of the sequence (dynamic NTK, LongRoPE).
 * A text that grows over such a bound starts over: every state of it is another one, and it has to be computed from its
 * beginning.
 */
import type { Architecture } from '../checkpoint/architecture';
import { lengthClass } from './rotary';

interface Text {
  readonly ids: readonly number[];
  /** Of its length. */
  readonly class: number;
}

export class TextLengths {
  /** Empty where length does not matter. */
  private texts: Text[] = [];
  /** Whether angles depend on the length of a text. */
  readonly matters: boolean;

  /** @param most tokens of a text */
  constructor(
    private readonly architecture: Architecture,
    most: number,
  ) {
    this.matters = lengthClass(architecture, most) > 0;
  }

  /** That many texts without a token. */
  restart(texts: number): void {
    if (this.matters) this.texts = Array.from({ length: texts }, () => ({ ids: [], class: 0 }));
  }

  /** Forgets the other texts. @param kept indices, ascending */
  keep(kept: readonly number[]): void {
    if (this.matters) this.texts = kept.map((text) => this.texts[text]);
  }

  /** Stands for the lengths that give a text's rotation the same angles (`lengthClass`). */
  classOf(text: number): number {
    return this.matters ? this.texts[text].class : 0;
  }

  /**
   * Lets a text grow.
   * @returns whether it starts over, and the tokens to compute: the new ones, or all of them if it does
   */
  grow(text: number, ids: readonly number[]): { readonly restarts: boolean; readonly ids: readonly number[] } {
    if (!this.matters) return { restarts: false, ids };
    const before = this.texts[text];
    const all = [...before.ids, ...ids];
    const now = { ids: all, class: lengthClass(this.architecture, all.length) };
    this.texts[text] = now;
    const restarts = before.ids.length > 0 && now.class !== before.class;
    return { restarts, ids: restarts ? all : ids };
  }
}
