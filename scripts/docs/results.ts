/** Pages of what commands print with `--json`, from the results that jobs declare. */
import type { AnyJob } from '../../src/jobs/define';
import { JOBS } from '../../src/jobs/definitions';
import type { Field } from '../../src/jobs/result';
import { code, codes, fence, list, type Page, page, prose, section, sentence, table } from './page';

const jobs: readonly AnyJob[] = Object.values<AnyJob>(JOBS).filter(({ sidecarOnly }) => !sidecarOnly);

export const commandsWithResults: readonly string[] = jobs.map(({ kind }) => kind);

const REAL = 'A real number may be infinite or none: `"Infinity"`, `"-Infinity"`, `"NaN"`.';

/** A row for each field, with the path to it: "blocks[].score". */
function rowsOf(fields: Readonly<Record<string, Field>>, above = ''): string[][] {
  return Object.entries(fields).flatMap(([name, field]) => {
    const path = `${above}${name}`;
    return [[code(path), typeText(field), wordsOf(field)], ...innerRows(field, path)];
  });
}

function innerRows({ kind }: Field, path: string): string[][] {
  switch (kind.kind) {
    case 'shape':
      return rowsOf(kind.fields, `${path}.`);
    case 'list':
      return innerRows(kind.of, `${path}[]`);
    case 'either':
      return kind.of.flatMap((each) => innerRows(each, path));
    default:
      return [];
  }
}

export function typeText({ kind, nullable, optional }: Field): string {
  const own = kindText(kind);
  return `${own}${nullable ? ' or `null`' : ''}${optional ? ', may be absent' : ''}`;
}

function kindText(kind: Field['kind']): string {
  switch (kind.kind) {
    case 'number':
      return 'number';
    case 'real':
      return 'real number';
    case 'whole':
      return 'whole number';
    case 'text':
      return kind.choices === undefined ? 'text' : `one of ${codes(kind.choices)}`;
    case 'flag':
      return '`true` or `false`';
    case 'part':
      return 'number of a block, or name of a module';
    case 'shape':
      return 'object';
    case 'list':
      return `list${kind.length === undefined ? '' : ` of ${kind.length}`}: ${kindText(kind.of.kind)}`;
    case 'either':
      return [...new Set(kind.of.map((each) => kindText(each.kind)))].join(' or ');
  }
}

function wordsOf({ words, unit, better, gate }: Field): string {
  const more = [
    unit === undefined || words.startsWith('seconds') ? '' : `In ${unit === 's' ? 'seconds' : unit}.`,
    better === undefined ? '' : `${better === 'less' ? 'Less' : 'More'} is better.`,
    gate === undefined ? '' : `Limit of recipes: ${code(gate.limit)}.`,
  ];
  return [sentence(prose(words)), ...more].filter((text) => text !== '').join(' ');
}

function resultPage({ kind, result, summary }: AnyJob): Page {
  return page(
    `json/${kind}.md`,
    `JSON of coppice ${kind}`,
    `\`coppice ${kind} --json\` prints one object: ${prose(result.words)}. The [command](../cli/${kind}.md): ${prose(summary)}.`,
    ...resultTables(result),
    section('As JSON Schema', fence('sh', `npx coppice schema ${kind} --result`)),
  );
}

/** Results that are one of several objects have a table for each. */
function resultTables({ kind }: Field): string[] {
  if (kind.kind === 'either') {
    return kind.of.map((each) => section(capital(prose(each.words)), ...resultTables(each)));
  }
  const rows = kind.kind === 'shape' ? rowsOf(kind.fields) : [];
  const about = rows.some(([, type]) => type.includes('real number')) ? REAL : '';
  return [table(['Field', 'Type', 'Meaning'], rows), about];
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const index = (): Page =>
  page(
    'json/index.md',
    'What `--json` prints',
    'With `--json` a command prints exactly one JSON object on stdout. Progress, notes and errors are on stderr. These commands ' +
      'declare every field of it, and `coppice schema COMMAND --result` prints the same as JSON Schema:',
    table(
      ['Command', 'Result'],
      jobs.map(({ kind, result }) => [`[${kind}](${kind}.md)`, sentence(prose(result.words))]),
    ),
    section('Numbers that JSON has no sign for', REAL),
    section(
      'See also',
      list([
        '[Records](../record.md) hold a result with inputs, settings and versions.',
        '[Recipes](../recipe.md#limits) judge results by limits.',
      ]),
    ),
  );

export const resultPages = (): Page[] => [index(), ...jobs.map(resultPage)];
