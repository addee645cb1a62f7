/**
 * A vertical line over a chart that the user moves to one of several places: with the mouse, or as a slider with keys. What lies
 * before it is pale.
 */
import { svg as svgEl } from '../../support/dom';

export interface Stop {
  /** For screen readers. */
  readonly value: number;
  readonly words: string;
  /** Pixels. */
  readonly x: number;
}

export interface ThresholdParts {
  readonly name: string;
  /** From left to right. */
  readonly stops: readonly Stop[];
  /** The stop at first. */
  readonly at: number;
  /** Where the chart's area begins, in pixels. */
  readonly left: number;
  readonly top: number;
  readonly bottom: number;
  /** What stands beside the line. */
  readonly label: (stop: number) => string;
  /** The line is over a stop; it may move on. */
  readonly show: (stop: number) => void;
  /** The line stays at a stop. */
  readonly take: (stop: number) => void;
}

/** Half of what the mouse can grip. */
const GRIP = 11;
/** Stops that a page key passes. */
const PAGE = 3;

/** Adds the line to the chart. Without `show` and `take` calls of a user it does nothing. @param still it cannot be moved */
export function addThreshold(svg: SVGSVGElement, parts: ThresholdParts, still: boolean): (stop: number) => void {
  const { name, stops, left, top, bottom, label, show, take } = parts;
  const veil = svgEl('rect', { class: 'threshold-veil', x: left, y: top, height: bottom - top });
  const line = svgEl('line', { class: 'threshold-line', y1: top - 8, y2: bottom });
  const handle = svgEl('circle', { class: 'threshold-handle', cy: top - 8, r: 6 });
  const text = svgEl('text', { class: 'threshold-text', y: top - 12 });
  const grip = svgEl('rect', { class: 'threshold-grip', y: top - 18, width: 2 * GRIP, height: bottom - top + 18 });
  const group = svgEl(
    'g',
    { class: 'threshold', 'data-key': 'threshold' },
    line,
    handle,
    text,
    ...(still ? [] : [grip]),
  );
  let at = parts.at;
  const place = (stop: number): void => {
    at = stop;
    const { x, value, words } = stops[stop];
    const isRight = x > (left + svg.width.baseVal.value) / 2;
    veil.setAttribute('width', String(Math.max(0, x - left)));
    for (const [element, name] of [
      [line, 'x1'],
      [line, 'x2'],
      [handle, 'cx'],
    ] as const)
      element.setAttribute(name, String(x));
    grip.setAttribute('x', String(x - GRIP));
    text.setAttribute('x', String(x + (isRight ? -11 : 11)));
    text.setAttribute('text-anchor', isRight ? 'end' : 'start');
    text.textContent = label(stop);
    group.setAttribute('aria-valuenow', String(value));
    group.setAttribute('aria-valuetext', words);
  };
  place(at);
  svg.append(veil, group);
  const move = (stop: number): void => {
    if (stop === at) return;
    place(stop);
    show(stop);
  };
  if (still) {
    group.setAttribute('aria-hidden', 'true');
    return move;
  }
  const values = stops.map(({ value }) => value);
  const states = { 'aria-label': name, 'aria-valuemin': Math.min(...values), 'aria-valuemax': Math.max(...values) };
  for (const [key, value] of Object.entries({ role: 'slider', tabindex: 0, ...states })) {
    group.setAttribute(key, String(value));
  }
  group.addEventListener('keydown', (event) => {
    const to = stopAfter(event.key, at, stops.length);
    if (to === undefined) return;
    event.preventDefault();
    move(to);
    take(to);
  });
  const nearest = (clientX: number): number => {
    const x = clientX - svg.getBoundingClientRect().left;
    const distances = stops.map((stop) => Math.abs(stop.x - x));
    return distances.indexOf(Math.min(...distances));
  };
  grip.addEventListener('pointerdown', (event) => {
    event.preventDefault();
    group.focus();
    grip.setPointerCapture(event.pointerId);
  });
  grip.addEventListener('pointermove', (event) => {
    if (grip.hasPointerCapture(event.pointerId)) move(nearest(event.clientX));
  });
  grip.addEventListener('pointerup', () => take(at));
  return move;
}

/** The stop that a key moves to; undefined for another key. */
function stopAfter(key: string, at: number, count: number): number | undefined {
  const steps: Readonly<Record<string, number>> = {
    ArrowRight: 1,
    ArrowUp: 1,
    ArrowLeft: -1,
    ArrowDown: -1,
    PageUp: PAGE,
    PageDown: -PAGE,
    Home: -count,
    End: count,
  };
  if (!Object.hasOwn(steps, key)) return undefined;
  return Math.max(0, Math.min(count - 1, at + steps[key]));
}
