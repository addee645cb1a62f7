/** How well colours can be told apart, by WCAG 2.2 (https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio), and how to help. Pure. */

/** Channels from 0 to 255, opacity from 0 to 1. */
export type Rgba = readonly [red: number, green: number, blue: number, alpha: number];

/** Steps from the colour to black or white. */
const STEPS = 20;

/**
 * The nearest colour, towards black or white, that has this contrast on all backgrounds; the better end where none has.
 * @param behind opaque colours
 * @returns undefined for a colour that has it already
 */
export function readable(ink: Rgba, behind: readonly Rgba[], least: number): Rgba | undefined {
  const worst = (colour: Rgba): number => Math.min(...behind.map((back) => contrast(over(colour, back), back)));
  if (worst(ink) >= least) return undefined;
  const solid = over(ink, behind[0]);
  const ends = [[0, 0, 0, 1] as const, [255, 255, 255, 1] as const];
  const end = worst(ends[0]) > worst(ends[1]) ? ends[0] : ends[1];
  for (let step = 1; step < STEPS; step++) {
    const share = step / STEPS;
    const mixed = solid.map((channel, i) => Math.round(channel * (1 - share) + end[i] * share)) as unknown as Rgba;
    if (worst(mixed) >= least) return mixed;
  }
  return end;
}

/** What is seen of a colour on an opaque one. */
export function over([red, green, blue, alpha]: Rgba, [r, g, b]: Rgba): Rgba {
  const mix = (above: number, below: number): number => above * alpha + below * (1 - alpha);
  return [mix(red, r), mix(green, g), mix(blue, b), 1];
}

/** From 1 to 21. */
function contrast(one: Rgba, other: Rgba): number {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(colour: Rgba): number {
  const [r, g, b] = colour.slice(0, 3).map((channel) => {
    const value = channel / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
