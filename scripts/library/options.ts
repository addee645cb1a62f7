/**
 * The types of the library's options, made from the definitions of the jobs: an interface for each job, with the help, range
 * and default of every option as its documentation. The build writes them into `src/library/options.ts` (make-options.mjs).
 */
import { capitalized } from '../../src/format/words';
import type { AnyJob } from '../../src/jobs/define';
import { JOBS } from '../../src/jobs/definitions';
import type { Option, ValueKind } from '../../src/jobs/option';
import { numberWords } from '../../src/jobs/values';
import { functionOf, scriptText } from '../../src/library/naming';

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
  const words = scriptText(help).replace(/\s*\n\s*/g, ' ');
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
