/** JSON with comments, laid out for people: comments before values, short values on one line. */
import type { Json } from '../recipe';

/** A named value of an object. */
export interface Entry {
  readonly name: string;
  readonly value: Json | readonly Entry[];
  /** Lines before it. */
  readonly comment?: readonly string[];
  /** It is there as a comment, to be uncommented. */
  readonly off?: boolean;
}

/** Texts are no shorter than this if a value is to be on one line. */
const WIDTH = 110;

/** The object with these entries, with a line break at its end. */
export const layOut = (entries: readonly Entry[]): string => `${objectText(entries, '').join('\n')}\n`;

/** Lines of an object; the first one has no margin. */
function objectText(entries: readonly Entry[], margin: string): string[] {
  const inner = `${margin}  `;
  const lines = entries.flatMap((entry, at) => {
    // One that is uncommented must find a comma before it, so it comes before others, or stands alone.
    const comma = at < entries.length - 1 || (entry.off && entries.some(({ off }) => !off)) ? ',' : '';
    const text = `${JSON.stringify(entry.name)}: ${valueText(entry.value, inner)}${comma}`;
    const commented = (entry.comment ?? []).map((line) => `${inner}// ${line}`);
    const [first, ...more] = text.split('\n');
    const own = entry.off
      ? [`${inner}// ${first}`, ...more.map((line) => `${inner}// ${line.slice(inner.length)}`)]
      : [`${inner}${first}`, ...more];
    return [...commented, ...own];
  });
  return ['{', ...lines, `${margin}}`];
}

function valueText(value: Entry['value'], margin: string): string {
  if (isEntries(value)) {
    const plain = value.every((entry) => !entry.off && entry.comment === undefined && !isEntries(entry.value));
    const short = `{ ${value.map((entry) => `${JSON.stringify(entry.name)}: ${inLine(entry.value as Json)}`).join(', ')} }`;
    return plain && margin.length + short.length <= WIDTH ? short : objectText(value, margin).join('\n');
  }
  return inLine(value);
}

const isEntries = (value: Entry['value']): value is readonly Entry[] =>
  Array.isArray(value) && value.length > 0 && value.every((item: unknown) => isEntry(item));

const isEntry = (item: unknown): boolean =>
  typeof item === 'object' && item !== null && 'name' in item && 'value' in item;

/** On one line, with spaces as in JavaScript. */
function inLine(value: Json): string {
  if (Array.isArray(value)) return `[${value.map((item: Json) => inLine(item)).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const inside = Object.entries(value as Record<string, Json>).map(
    ([name, each]) => `${JSON.stringify(name)}: ${inLine(each)}`,
  );
  return inside.length === 0 ? '{}' : `{ ${inside.join(', ')} }`;
}
