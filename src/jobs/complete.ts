/** Completes the options of a caller for a job: checks each one and their combinations, and adds defaults. */
import { UserError } from '../engine/errors';
import { isObject } from '../format/json';
import { command, option, OPTION_NAMES } from '../engine/option-token';
import { withApplication } from './application';
import type { AnyJob, Fault, Moved, OptionsOf } from './define';
import type { ValueKind, Option } from './option';
import { isWithin, MIN_BYTES, numberWords } from './values';

/**
 * @param given an object from a command line, from the editor or from a file
 * @throws UserError for an invalid value, an unknown option, or options that exclude each other
 */
export function completeOptions<J extends AnyJob>(job: J, given: object): OptionsOf<J> {
  const found = new Map<string, unknown>(Object.entries(given).filter(([, value]) => value !== undefined));
  const moved = Object.entries(job.moved ?? {}).find(([name]) => found.has(name));
  if (moved) throw errorOf(movedFault(job.kind, ...moved));
  for (const name of found.keys()) {
    if (!Object.hasOwn(job.options, name)) {
      refuse(`${job.kind} has no option ${name}`, 'the job does not know it', 'Leave it out.');
    }
  }
  const meant = new Set(Object.keys(withApplication(job, Object.fromEntries(found))));
  for (const [name, each] of Object.entries(job.options)) checkOption(job, name, each, found, meant);
  const complete: unknown = withDefaults(job, Object.fromEntries(found));
  const fault = job.check?.(withApplication(job, complete as OptionsOf<J>));
  if (fault) throw errorOf(fault);
  return complete as OptionsOf<J>;
}

/** What is given, and the defaults of the rest. Nothing is checked. */
export function withDefaults({ options }: AnyJob, given: object): Readonly<Record<string, unknown>> {
  const defaults = Object.entries(options).filter(([, each]) => each.default !== undefined);
  return {
    ...Object.fromEntries(defaults.map(([name, each]) => [name, each.default])),
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  };
}

/** The error for an option that another job has in its place, or none can have. @param name as the face writes it */
export const movedFault = (kind: string, name: string, to: Moved): Fault => ({
  what: `${kind} has no option ${name}`,
  ...(typeof to === 'string'
    ? { why: 'a job of its own does that', action: `Use ${command(to)} in place of it.` }
    : to),
});

/** An option in a message: its token, if every face has a name for it. */
function token(name: string): string {
  const known = OPTION_NAMES.find((each) => each === name);
  return known === undefined ? `the option ${name}` : option(known);
}

const errorOf = ({ what, why, action }: Fault): UserError => new UserError(what, why, action);

function refuse(what: string, why: string, action: string): never {
  throw new UserError(what, why, action);
}

function checkOption(
  { kind: job }: AnyJob,
  name: string,
  { kind, required, conflicts = [], needs }: Option,
  found: ReadonlyMap<string, unknown>,
  meant: ReadonlySet<string>,
): void {
  if (!found.has(name)) {
    if (required && !meant.has(name)) refuse(`${job} needs ${token(name)}`, 'it is not given', `Add ${token(name)}.`);
    return;
  }
  const wanted = valueFault(kind, found.get(name));
  if (wanted !== undefined) refuse(`${token(name)} cannot be used`, `it must be ${wanted}`, 'Give it another value.');
  if (found.get(name) === false) return; // a flag that is off conflicts with nothing
  const other = conflicts.find((each) => found.has(each) && found.get(each) !== false);
  if (other !== undefined) {
    refuse(
      `${token(name)} cannot be used with ${token(other)}`,
      'the two exclude each other',
      'Leave one of them out.',
    );
  }
  // A flag that is off is not given.
  if (needs !== undefined && (found.get(needs) ?? meant.has(needs)) === false) {
    refuse(
      `${token(name)} needs ${token(needs)}`,
      `${token(needs)} is not given`,
      `Add it, or leave ${token(name)} out.`,
    );
  }
}

/** A description of valid values if the value is invalid; undefined if it is valid. */
function valueFault(kind: ValueKind, value: unknown): string | undefined {
  switch (kind.kind) {
    case 'text':
      return typeof value === 'string' ? undefined : 'a text';
    case 'path':
      if (typeof value !== 'string') return 'a text';
      return value.includes('\0') ? 'a path, and no path has a character 0' : undefined;
    case 'flag':
      return typeof value === 'boolean' ? undefined : 'true or false';
    case 'whole': {
      const { min, max, why } = kind;
      const range = max === undefined ? `of at least ${min}` : `from ${min} to ${max}`;
      return isWhole(value, min, max) ? undefined : `a whole number ${range}${why === undefined ? '' : `: ${why}`}`;
    }
    case 'number':
      if (kind.words?.some((word) => word === value)) return undefined;
      return typeof value === 'number' && isWithin(value, kind) ? undefined : numberWords(kind);
    case 'choice':
      return kind.choices.some((each) => each === value) ? undefined : `one of ${kind.choices.join(', ')}`;
    case 'blocks':
      return isListOf(value, (item) => isWhole(item, 0)) ? undefined : 'a list of block numbers';
    case 'parts':
      return isListOf(value, isPart) ? undefined : 'a list of blocks and modules, such as 10 and "12.ffn"';
    case 'bytes':
      return isWhole(value, MIN_BYTES) ? undefined : `a whole number of at least ${MIN_BYTES} bytes`;
    case 'parameters':
      return typeof value === 'number' && isWithin(value, { above: 0 }) ? undefined : 'a number above 0';
    case 'data':
      return undefined;
    case 'models':
      return isListOf(value, isModel) && value.length > 0
        ? undefined
        : 'a list of at least one model, each with a label and a checkpoint';
    case 'list': {
      const { of, length, expected } = kind;
      if (!isListOf(value, () => true)) return 'a list';
      if (length !== undefined && value.length !== length) return expected ?? `a list of ${length} values`;
      const fault = value.map((item) => valueFault(of, item)).find((each) => each !== undefined);
      return fault === undefined ? undefined : (expected ?? `a list, each ${fault}`);
    }
  }
}

const isListOf = (value: unknown, isItem: (item: unknown) => boolean): value is readonly unknown[] =>
  Array.isArray(value) && value.every(isItem);

const isWhole = (value: unknown, min: number, max = Infinity): boolean =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max;

const isPart = (item: unknown): boolean =>
  isWhole(item, 0) || (typeof item === 'string' && /^\d{1,6}(\.(attention|ffn))?$/.test(item));

const isModel = (item: unknown): boolean =>
  isObject(item) && typeof item.label === 'string' && typeof item.checkpoint === 'string';

/** Options of a spec, without the fields of the message. */
export function optionsIn(spec: object): object {
  return isObject(spec) ? Object.fromEntries(Object.entries(spec).filter(([name]) => !ENVELOPE.includes(name))) : {};
}

/** Fields of a spec besides the options of its job. */
const ENVELOPE: readonly string[] = ['kind', 'records'];
