/**
 * The types of the library's options, made from the definitions of the jobs: an interface for each job, with the help, range
 * and default of every option as its documentation. The build writes them into `src/library/options.ts` (make-options.mjs).
 */
import { capitalized } from '../../src/format/words';
import type { AnyJob } from '../../src/jobs/define';
import { JOBS } from '../../src/jobs/definitions';
import type { Option, ValueKind } from '../../src/jobs/option';
import { numberWords } from '../../src/jobs/values';
import { functionOf, literalOf } from '../../src/library/naming';

/** Jobs with a command. */
export const jobs: readonly AnyJob[] = Object.values<AnyJob>(JOBS).filter(({ sidecarOnly }) => !sidecarOnly);

/** "export" → "ExportOptions". */
export const interfaceOf = ({ kind }: AnyJob): string =>
  `${capitalized(kind === 'export' ? kind : functionOf(kind))}Options`;

/** The file with the options of all jobs. */
export const optionsSource = (): string =>
  `/** Options of the functions. Made by the build from the definitions of the jobs: change them there. */
import type { LabelledModel } from '../jobs/option';

${jobs.map(interfaceSource).join('\n')}`;

/** The interface of a job. */
export function interfaceSource(job: AnyJob): string {
  const shown = Object.entries(job.options).filter(([, { kind, hidden }]) => kind.kind !== 'data' && !hidden);
  return [
    ...comment('', [`Options of {@link ${functionOf(job.kind)}}.`]),
    `export interface ${interfaceOf(job)} {`,
    ...shown.flatMap(([name, option]) => [
      ...comment('  ', documentation(option)),
      `  readonly ${name}${option.required ? '' : '?'}: ${typeOf(option.kind)};`,
    ]),
    '}\n',
  ].join('\n');
}

function documentation({ kind, help, default: usual }: Option): string[] {
  const words = scriptHelp(kind, help);
  // The help of a flag that is on says what turning it off does.
  const text = kind.kind === 'flag' && usual === true ? `\`false\`: ${words}` : sentence(words);
  const range = rangeOf(kind);
  return [
    `${text.replace(/[.:]$/, '')}.${range === undefined ? '' : ` ${capitalized(range)}.`}`,
    ...(usual === undefined ? [] : [`@defaultValue ${JSON.stringify(usual)}`]),
  ];
}

/** Values in front of a colon, and signs, keep their letters: "ppl, kl: how many", "α". */
const sentence = (words: string): string =>
  /^[a-z][\w-]*(, [\w-]+)*:|^[^a-z]/.test(words) ? words : capitalized(words);

function rangeOf(kind: ValueKind): string | undefined {
  switch (kind.kind) {
    case 'whole':
      return kind.max === undefined
        ? `a whole number of at least ${kind.min}`
        : `a whole number from ${kind.min} to ${kind.max}`;
    case 'number':
      return numberWords({ ...kind, words: kind.words?.map((word) => JSON.stringify(word)) });
    case 'bytes':
      return 'in bytes';
    case 'blocks':
      return 'numbers of blocks, from 0';
    case 'parts':
      return 'numbers of blocks, from 0, and names of modules';
    default:
      return undefined;
  }
}

const OPTION_NAMES = new Set(jobs.flatMap(({ options }) => Object.keys(options)));
const camel = (words: string): string => words.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** The help of the command line in the words of a script. */
function scriptHelp(kind: ValueKind, help: string): string {
  return help
    .replace(/\s*\n\s*/g, ' ')
    .replace('(output of `coppice score --json`)', '(what `toJson` makes of the result of `score`)')
    .replace(/\bcoppice (\w+) (--[a-z-]+)/g, '$1() with $2')
    .replace(/`coppice (\w+)`/g, (_, name: string) => `\`${functionOf(name)}\``)
    .replace(/\bcoppice (\w+)\b/g, (_, name: string) => `\`${functionOf(name)}\``)
    .replace(/(?<![\w`-])--(no-)?([a-z][a-z-]*)/g, (flag, no: string | undefined, words: string) => {
      const name = camel(words);
      if (!OPTION_NAMES.has(name)) return flag;
      return no === undefined ? `\`${name}\`` : `\`${name}: false\``;
    })
    .replace(/\d[\w.,-]*\w/g, (text) => literal(kind, text));
}

/** Numbers and lists of a command line as a script writes them; everything else is as it was. */
function literal(kind: ValueKind, text: string): string {
  switch (kind.kind) {
    case 'list':
      return text.includes(',') ? literalOf(kind, text).replaceAll(',', ', ') : text;
    case 'blocks':
    case 'parts':
      return /[,-]/.test(text) ? literalOf(kind, text).replaceAll(',', ', ') : text;
    case 'bytes':
    case 'parameters':
      return literalOf(kind, text).replace(/\B(?=(\d{3})+$)/g, '_');
    default:
      return text;
  }
}

function typeOf(kind: ValueKind): string {
  switch (kind.kind) {
    case 'text':
    case 'path':
      return 'string';
    case 'flag':
      return 'boolean';
    case 'whole':
    case 'bytes':
    case 'parameters':
      return 'number';
    case 'number':
      return ['number', ...(kind.words ?? []).map((word) => JSON.stringify(word))].join(' | ');
    case 'choice':
      return kind.choices.map((each) => JSON.stringify(each)).join(' | ');
    case 'blocks':
      return 'readonly number[]';
    case 'parts':
      return 'readonly (number | string)[]';
    case 'models':
      return 'readonly LabelledModel[]';
    case 'list':
      return `readonly (${typeOf(kind.of)})[]`;
    case 'data':
      return 'unknown';
  }
}

const WIDTH = 118;

/** A documentation comment of paragraphs, in lines of the width of the code. */
function comment(indent: string, paragraphs: readonly string[]): string[] {
  const only = `${indent}/** ${paragraphs.join(' ')} */`;
  if (paragraphs.length === 1 && only.length <= WIDTH) return [only];
  const lines = paragraphs.flatMap((text) => wrapped(text, WIDTH - indent.length - 3));
  return [`${indent}/**`, ...lines.map((line) => `${indent} * ${line}`), `${indent} */`];
}

function wrapped(text: string, width: number): string[] {
  return text.split(' ').reduce<string[]>((lines, word) => {
    const line = lines.at(-1);
    return line === undefined || line.length + 1 + word.length > width
      ? [...lines, word]
      : [...lines.slice(0, -1), `${line} ${word}`];
  }, []);
}
