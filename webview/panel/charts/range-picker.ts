/**
 * Several blocks at once in the importance chart: a drag over bars, a click with Shift, or Shift with arrow keys and then Space.
 * All blocks of the range get the state that the first one gets. It lives longer than a drawing: a redraw keeps the range.
 */
import { t } from '../../support/l10n';
import { blocksBetween } from './block-range';
import type { Target, TipPlace } from './targets';

/** The state to which the blocks of a range are set. */
export type ApplyRange = (blocks: readonly number[], remove: boolean) => void;

export class RangePicker {
  private areas: readonly SVGElement[] = [];
  private targets: readonly Target[] = [];
  private order: readonly number[] = [];
  private place: TipPlace | undefined;
  private from: number | undefined;
  private to: number | undefined;
  /** Whether the last click or key on `from` alone removes it. */
  private made: boolean | undefined;
  private drag: 'no' | 'pressed' | 'moved' = 'no';
  private keepsFrom = false;

  /** @param tell says the range to screen readers; empty when there is none */
  constructor(
    private readonly apply: ApplyRange,
    private readonly tell: (words: string) => void,
  ) {
    window.addEventListener('pointerup', () => this.release());
    window.addEventListener('pointercancel', () => this.cancel());
  }

  /** Takes the areas of a new drawing. @param areas, targets of blocks, from left to right */
  attach(areas: readonly SVGElement[], targets: readonly Target[], place: TipPlace): void {
    const order = targets.map(({ key }) => Number(key));
    if (order.join() !== this.order.join()) this.clear();
    Object.assign(this, { areas, targets, order, place });
    const chart = areas[0]?.parentElement;
    chart?.addEventListener('keydown', (event) => this.key(event), true);
    chart?.addEventListener('focusin', (event) => this.focused(this.blockOf(event)));
    chart?.addEventListener('pointerdown', (event) => this.press(event));
    chart?.addEventListener('pointermove', (event) => this.move(event));
    chart?.addEventListener('click', (event) => this.click(event), true);
    this.mark();
  }

  private blockOf({ target }: Event): number | undefined {
    const at = this.areas.indexOf(target as SVGElement);
    return at < 0 ? undefined : this.order[at];
  }

  private targetOf = (block: number): Target => this.targets[this.order.indexOf(block)];

  /** The blocks of the range; empty if it has only one. */
  private get range(): number[] {
    const { from, to } = this;
    return from === undefined || to === undefined || from === to ? [] : blocksBetween(this.order, from, to);
  }

  /** A plain focus starts again from there. A redraw gives the focus back to the end of the range, which is none. */
  private focused(block: number | undefined): void {
    if (block === undefined || this.keepsFrom || block === this.from || block === this.to) return;
    this.from = this.to = block;
    this.made = undefined;
    this.mark();
  }

  private key(event: KeyboardEvent): void {
    const block = this.blockOf(event);
    if (block === undefined) return;
    const step = STEPS[event.key];
    if (event.shiftKey && step !== undefined) {
      this.extend(event, block, step);
      return;
    }
    if (event.key === 'Escape') {
      this.clear();
      return;
    }
    if (step !== undefined || event.key === 'Home' || event.key === 'End') {
      this.cancel();
      return;
    }
    if (event.key !== ' ' && event.key !== 'Enter') return;
    if (this.range.length === 0) {
      this.remember(block);
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    this.set(undefined);
  }

  private extend(event: KeyboardEvent, block: number, step: number): void {
    event.preventDefault();
    event.stopPropagation();
    const at = Math.max(0, Math.min(this.order.length - 1, this.order.indexOf(block) + step));
    this.from ??= block;
    this.to = this.order[at];
    this.made = undefined;
    this.keepsFrom = true;
    this.areas[at].focus();
    this.keepsFrom = false;
    this.mark();
    if (this.range.length === 0) {
      this.tell('');
      return;
    }
    const { tipX, tipY } = this.targets[at];
    this.place?.tip(tipX, tipY, [
      rangeWords(this.range),
      this.removes() ? t('Space removes them') : t('Space keeps them'),
    ]);
    this.tell(t('{0}. Space removes or keeps them all.', rangeWords(this.range)));
  }

  private press(event: PointerEvent): void {
    const block = this.blockOf(event);
    if (block === undefined || event.button !== 0 || event.pointerType === 'touch') return;
    if (event.shiftKey) {
      this.keepsFrom = true; // the browser moves the focus before the click comes
      return;
    }
    this.drag = 'pressed';
    this.from = this.to = block;
    this.made = undefined;
  }

  private move(event: PointerEvent): void {
    if (this.drag === 'no') return;
    if ((event.buttons & 1) === 0) {
      this.cancel();
      return;
    }
    const block = this.blockOf(event);
    if (block === undefined || (block === this.to && this.drag === 'pressed')) return;
    this.drag = 'moved';
    this.to = block;
    this.mark();
    if (this.range.length === 0) return;
    const { tipX, tipY } = this.targetOf(block);
    const words = this.removes() ? t('Release to remove them') : t('Release to keep them');
    this.place?.tip(tipX, tipY, [rangeWords(this.range), words, t('Escape cancels')]);
  }

  private release(): void {
    const moved = this.drag === 'moved' && this.range.length > 0;
    this.drag = 'no';
    this.keepsFrom = false;
    if (!moved) return;
    this.set(undefined);
    this.drop();
  }

  private click(event: MouseEvent): void {
    const block = this.blockOf(event);
    if (block === undefined) return;
    if (!event.shiftKey || this.from === undefined || this.from === block) {
      this.remember(block);
      return;
    }
    event.stopPropagation();
    this.to = block;
    this.set(this.made);
    this.keepsFrom = true;
    this.areas[this.order.indexOf(block)].focus();
    this.keepsFrom = false;
  }

  /** A click or a key on one block, which its target does. */
  private remember(block: number): void {
    const { checked, disabled } = this.targetOf(block);
    this.from = this.to = block;
    this.made = disabled ? undefined : checked;
    this.mark();
  }

  /** Whether the range is removed: the first block that is not locked changes, and the others follow. */
  private removes(): boolean {
    const blocks = this.range[0] === this.from ? this.range : this.range.reverse();
    return blocks.map(this.targetOf).find(({ disabled }) => !disabled)?.checked ?? true;
  }

  private set(remove: boolean | undefined): void {
    const blocks = this.range;
    const wanted = remove ?? this.removes();
    this.made = wanted;
    this.mark();
    this.tell(wanted ? t('{0}: removed', rangeWords(blocks)) : t('{0}: kept', rangeWords(blocks)));
    this.apply(blocks, wanted);
  }

  private cancel(): void {
    this.drag = 'no';
    this.drop();
    this.tell('');
  }

  private clear(): void {
    this.cancel();
    this.place?.hideTip();
  }

  /** Only the block where the range ends stays. */
  private drop(): void {
    this.from = this.to;
    this.mark();
  }

  private mark(): void {
    const { range } = this;
    for (const [i, area] of this.areas.entries()) area.classList.toggle('is-picked', range.includes(this.order[i]));
  }
}

const STEPS: Readonly<Record<string, number>> = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 };

const rangeWords = (blocks: readonly number[]): string =>
  t('{0} blocks, from {1} to {2}', blocks.length, blocks[0] ?? '–', blocks.at(-1) ?? '–');
