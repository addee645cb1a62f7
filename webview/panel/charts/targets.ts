/**
 * The interactive parts of a chart: invisible areas over it, one for each block or point, that take mouse and keyboard.
 * One area is in the tab order. Arrow keys, Home and End move between areas; Enter and Space act.
 */
import { svg as svgEl } from '../../support/dom';
import { movedTo } from '../../support/roving';

export interface Target {
  /** Unique in the chart. The focus returns to the area with this key after a redraw. */
  readonly key: string;
  /** Position and size of the area in pixels. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** The point that the tooltip belongs to. */
  readonly tipX: number;
  readonly tipY: number;
  /** For screen readers; the tip if undefined. */
  readonly label?: string;
  readonly tip: readonly string[];
  /** State of a checkbox; undefined for a button. */
  readonly checked?: boolean;
  readonly disabled?: boolean;
  readonly act: () => void;
}

/** An area around a point. */
export const spot = (x: number, y: number, width: number, height = width) => ({
  ...{ x: x - width / 2, y: y - height / 2, width, height },
  ...{ tipX: x, tipY: y },
});

export interface TipPlace {
  tip(x: number, y: number, lines: readonly string[]): void;
  hideTip(): void;
}

/** Adds the targets to the chart. @param name of the group @returns their areas, in their order */
export function addTargets(
  svg: SVGSVGElement,
  name: string,
  targets: readonly Target[],
  place: TipPlace,
): readonly SVGElement[] {
  svg.removeAttribute('aria-label');
  svg.setAttribute('role', 'group');
  svg.setAttribute('aria-label', name);
  for (const child of svg.children) child.setAttribute('aria-hidden', 'true'); // targets and table have the same content
  const areas = targets.map((target) => area(target, place));
  areas[0]?.setAttribute('tabindex', '0');
  for (const [i, each] of areas.entries()) {
    each.addEventListener('keydown', (event) => {
      const to = movedTo(event.key, i, areas.length);
      if (to !== undefined) {
        event.preventDefault();
        areas[to].focus();
      } else if (event.key === 'Enter' || event.key === ' ') {
        event.preventDefault();
        if (!targets[i].disabled) targets[i].act();
      }
    });
    each.addEventListener('focus', () => {
      for (const other of areas) other.setAttribute('tabindex', other === each ? '0' : '-1');
    });
  }
  svg.append(...areas);
  return areas;
}

function area(target: Target, place: TipPlace): SVGElement {
  const { key, x, y, width, height, tipX, tipY, label, tip, checked, disabled } = target;
  const state = checked === undefined ? { role: 'button' } : { role: 'checkbox', 'aria-checked': String(checked) };
  const made = svgEl('rect', {
    x,
    y,
    width,
    height,
    rx: 2,
    class: 'target',
    'data-key': key,
    tabindex: -1,
    'aria-label': label ?? tip.join(', '),
    ...state,
    ...(disabled && { 'aria-disabled': 'true' }),
  });
  const show = (): void => place.tip(tipX, tipY, tip);
  made.addEventListener('pointerenter', show);
  made.addEventListener('focus', show);
  made.addEventListener('pointerleave', () => place.hideTip());
  made.addEventListener('blur', () => place.hideTip());
  made.addEventListener('click', () => {
    made.focus();
    if (!disabled) target.act();
  });
  return made;
}
