/** How well colours can be told apart, by WCAG 2: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio */

/** Channels from 0 to 255, opacity from 0 to 1. */
export interface Colour {
  readonly red: number;
  readonly green: number;
  readonly blue: number;
  readonly alpha: number;
}

/** "#rgb", "#rrggbb", "#rrggbbaa", "rgb(…)" and "rgba(…)". @throws Error for anything else */
export function parseColour(text: string): Colour {
  const digits = /^#([0-9a-f]{3,8})$/i.exec(text.trim())?.[1];
  if (digits !== undefined) {
    const pairs = digits.length < 6 ? digits.match(/./g)!.map((digit) => digit + digit) : digits.match(/../g)!;
    const [red, green, blue, alpha = 255] = pairs.map((pair) => Number.parseInt(pair, 16));
    return { red, green, blue, alpha: alpha / 255 };
  }
  const parts = /^rgba?\(([^)]*)\)$/
    .exec(text.trim())?.[1]
    .split(/[\s,/]+/)
    .map(Number);
  if (!parts || parts.length < 3 || parts.some(Number.isNaN)) throw new Error(`no colour: "${text}"`);
  const [red, green, blue, alpha = 1] = parts;
  return { red, green, blue, alpha };
}

/** What is seen of a colour on an opaque one. */
export function over(colour: Colour, background: Colour): Colour {
  const mix = (a: number, b: number): number => a * colour.alpha + b * (1 - colour.alpha);
  return {
    red: mix(colour.red, background.red),
    green: mix(colour.green, background.green),
    blue: mix(colour.blue, background.blue),
    alpha: 1,
  };
}

/** From 1 to 21, of two opaque colours. */
export function contrast(one: Colour, other: Colour): number {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

function luminance({ red, green, blue }: Colour): number {
  const [r, g, b] = [red, green, blue].map((channel) => {
    const value = channel / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
