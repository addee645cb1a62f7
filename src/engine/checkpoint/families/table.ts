/** The families as a table for the README, between two marks. */
import { FAMILIES } from '.';

const START = '<!-- families: npm run manifest -->';
const END = '<!-- end of families -->';

/** Rows of equal width, as prettier has them. */
export function familiesTable(): string {
  const rows = FAMILIES.map(({ modelType, models, special }) => [`\`${modelType}\``, models, special]);
  const all = [['`model_type`', 'models', 'what it has'], ...rows];
  const widths = all[0].map((_, column) => Math.max(...all.map((row) => row[column].length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i])).join(' | ')} |`;
  const [head, ...body] = all.map(line);
  return [head, line(widths.map((width) => '-'.repeat(width))), ...body].join('\n');
}

/** "LLaMA, Mistral, … and SmolLM3" */
export function familyNames(): string {
  const names = FAMILIES.map(({ name }) => name);
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

const WELCOME = 'welcome.empty';

/** The texts of package.nls.json; the welcome names the families of today. */
export function withFamilyNames(texts: Readonly<Record<string, string>>): Record<string, string> {
  const welcome = texts[WELCOME].replace(
    /Coppice opens .* models in/,
    () => `Coppice opens ${familyNames()} models in`,
  );
  return { ...texts, [WELCOME]: welcome };
}

/** The document with the table of today. @throws Error for a document without the marks */
export function withFamilies(document: string): string {
  const [from, to] = [document.indexOf(START), document.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`there is no place for the table: ${START} … ${END}`);
  return `${document.slice(0, from + START.length)}\n\n${familiesTable()}\n\n${document.slice(to)}`;
}
