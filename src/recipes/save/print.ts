/** JSON with comments, as prettier writes it. */
import type { Json } from '../recipe';

interface Field {
  readonly name: string;
  readonly value: Json;
  readonly comments: readonly string[];
}

export interface RecipeParts {
  /** At the top. */
  readonly comments: readonly string[];
  readonly fields: readonly Field[];
  readonly variables: readonly Field[];
  readonly steps: readonly Field[];
  /** What is not in the recipe, in words. */
  readonly left: readonly string[];
}

const WIDTH = 110;

export function printed({ comments, fields, variables, steps, left }: RecipeParts): string {
  const rest = left.length === 0 ? [] : commentLines(['Not carried over:', ...left.map((each) => `- ${each}`)], 2);
  const parts = [
    ...fields.map((field) => fieldText(field, 2)),
    ...(variables.length > 0 ? [block('variables', variables, [])] : []),
    block('steps', steps, rest),
  ];
  return `{\n${commentLines(comments, 2).join('')}${parts.join(',\n')}\n}\n`;
}

function block(name: string, fields: readonly Field[], before: readonly string[]): string {
  const inside = fields.map((field) => fieldText(field, 4)).join(name === 'steps' ? ',\n\n' : ',\n');
  return `${before.join('')}  ${JSON.stringify(name)}: {\n${inside}\n  }`;
}

const fieldText = ({ name, value, comments }: Field, indent: number): string =>
  `${commentLines(comments, indent).join('')}${' '.repeat(indent)}${JSON.stringify(name)}: ${valueText(value, indent, name.length + 4)}`;

/** Words of a record may have any characters: a comment ends at the end of its line. */
const commentLines = (lines: readonly string[], indent: number): string[] =>
  lines.flatMap((line) => line.split(/[\r\n\u2028\u2029]+/).map((part) => `${' '.repeat(indent)}// ${part}\n`));

/** On one line where it fits. @param before characters in front of it on the line */
function valueText(value: Json, indent: number, before: number): string {
  const line = lineText(value);
  if (indent + before + line.length <= WIDTH || typeof value !== 'object' || value === null) return line;
  const inner = indent + 2;
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  const items = Array.isArray(value)
    ? (value as readonly Json[]).map((item) => valueText(item, inner, 0))
    : Object.entries(value).map(
        ([name, item]) => `${JSON.stringify(name)}: ${valueText(item as Json, inner, name.length + 4)}`,
      );
  return `${open}\n${items.map((item) => `${' '.repeat(inner)}${item}`).join(',\n')}\n${' '.repeat(indent)}${close}`;
}

function lineText(value: Json): string {
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(lineText).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const items = Object.entries(value).map(([name, item]) => `${JSON.stringify(name)}: ${lineText(item as Json)}`);
  return items.length === 0 ? '{}' : `{ ${items.join(', ')} }`;
}
