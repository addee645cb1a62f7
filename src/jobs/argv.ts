/** Converts options to the words of a command line. */
import type { AnyJob } from './define';
import type { Option, Options } from './option';
import { formatValue } from './values';

/** "maxNewTokens" → "--max-new-tokens". */
export const flagOf = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** The words after `coppice`. Parsing them gives the same options. */
export const argvOf = (job: AnyJob, given: object): string[] => [job.kind, ...optionWords(job.options, given)];

/** The words for some options, arguments first. */
export function optionWords(options: Options, given: object): string[] {
  const values = new Map<string, unknown>(Object.entries(given));
  const all = Object.entries(options);
  return [...all.filter(isArgument), ...all.filter((each) => !isArgument(each))].flatMap(([name, option]) =>
    wordsOf(name, option, values.get(name)),
  );
}

const isArgument = ([, { argument }]: readonly [string, Option]): boolean => argument === true;

function wordsOf(name: string, { kind, argument, implied, default: usual }: Option, value: unknown): string[] {
  if (value === undefined || (implied && value === usual) || kind.kind === 'data') return [];
  if (kind.kind === 'flag') {
    if (usual === true) return value === false ? [`--no-${flagOf(name).slice(2)}`] : [];
    return value === true ? [flagOf(name)] : [];
  }
  if (Array.isArray(value)) {
    if (value.length === 0) return [];
    if (kind.kind === 'models') return value.flatMap((item) => withFlag(name, JSON.stringify(item)));
    if (kind.kind === 'list' && kind.repeated) {
      return value.flatMap((item) => withFlag(name, formatValue(kind.of, item)));
    }
  }
  if (!argument) return withFlag(name, formatValue(kind, value));
  return (Array.isArray(value) ? value : [value]).map((item) => {
    const text = formatValue(kind, item);
    return text.startsWith('-') ? `./${text}` : text; // it would be parsed as a flag
  });
}

/** In one word where the value reads as a flag: `--prompt -V` would print the version. */
const withFlag = (name: string, text: string): string[] =>
  text.startsWith('-') ? [`${flagOf(name)}=${text}`] : [flagOf(name), text];
