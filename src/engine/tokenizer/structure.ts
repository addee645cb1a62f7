/**
 * The parts of tokenizer.json that the tokenizers library reads without checking: the fields of each kind of stage. The
 * library itself reports kinds that are not listed.
 */
import { isObject } from '../../format/json';

/** Describes the problem of the value at `path`; undefined if it is valid. */
type Check = (value: unknown, path: string) => string | undefined;
type Fields = Readonly<Record<string, Check>>;

/**
 * Maximum characters of a path, about fifty levels (real files have three), and the number of characters shown of a
 * longer one.
 */
const DEEPEST = 1000;
const SHOWN = 60;

const isA =
  (words: string, holds: (value: unknown) => boolean): Check =>
  (value, path) =>
    holds(value) ? undefined : `"${path}" is not ${words}`;
const isId = (value: unknown): boolean => Number.isInteger(value) && (value as number) >= 0;

const string = isA('a string', (value) => typeof value === 'string');
const boolean = isA('true or false', (value) => typeof value === 'boolean');
const count = isA('a whole number', isId);
const textAndId = isA(
  'a token and its id',
  (value) => Array.isArray(value) && typeof value[0] === 'string' && isId(value[1]),
);
const pattern = isA(
  'a pattern {"String"} or {"Regex"}',
  (value) => isObject(value) && (typeof value.String === 'string' || typeof value.Regex === 'string'),
);

/** Accepts an absent value, null, or a value that passes `check`. */
const maybe =
  (check: Check): Check =>
  (value, path) =>
    value === undefined || value === null ? undefined : check(value, path);

const each =
  (check: Check): Check =>
  (value, path) =>
    Array.isArray(value)
      ? firstFault(value.map((entry: unknown, i) => () => check(entry, `${path}[${i}]`)))
      : `"${path}" is not a list`;

const object =
  (fields: Fields): Check =>
  (value, path) => {
    if (path.length > DEEPEST) return `"${path.slice(0, SHOWN)}…" is nested too deep`;
    if (!isObject(value)) return `"${path}" is not an object`;
    const checks = Object.entries(fields).map(
      ([name, check]) =>
        () =>
          check(value[name], `${path}.${name}`),
    );
    return firstFault(checks);
  };

const firstFault = (checks: readonly (() => string | undefined)[]): string | undefined => {
  for (const check of checks) {
    const fault = check();
    if (fault !== undefined) return fault;
  }
  return undefined;
};

/** An object whose field `type` determines its other fields. */
const stage =
  (kinds: Readonly<Record<string, Fields>>): Check =>
  (value, path) => {
    const fault = object({ type: string })(value, path);
    if (fault !== undefined) return fault;
    const { type } = value as { type: string };
    return Object.hasOwn(kinds, type) ? object(kinds[type])(value, path) : undefined;
  };

/** Stages of one family, and `Sequence`, a list of them in the field `list`. */
function stages(list: string, kinds: Readonly<Record<string, Fields>>): Check {
  const one: Check = stage({ ...kinds, Sequence: { [list]: (value, path) => each(one)(value, path) } });
  return one;
}

const replace: Fields = { pattern, content: string };

const normalizer = stages('normalizers', {
  BertNormalizer: {
    clean_text: maybe(boolean),
    handle_chinese_chars: maybe(boolean),
    strip_accents: maybe(boolean),
    lowercase: maybe(boolean),
  },
  Replace: replace,
  Strip: { strip_left: maybe(boolean), strip_right: maybe(boolean) },
  Prepend: { prepend: string },
});

const preTokenizer = stages('pretokenizers', {
  Metaspace: { replacement: maybe(string), prepend_scheme: maybe(string), split: maybe(boolean) },
  ByteLevel: { add_prefix_space: maybe(boolean), use_regex: maybe(boolean) },
  Split: { pattern, behavior: maybe(string), invert: maybe(boolean) },
  Punctuation: { behavior: maybe(string) },
  Digits: { individual_digits: maybe(boolean) },
  Replace: replace,
  FixedLength: { length: count },
});

const templateItem: Check = (value, path) => {
  if (!isObject(value)) return `"${path}" is not an object`;
  const name = ['SpecialToken', 'Sequence'].find((key) => key in value);
  if (name === undefined) return `"${path}" is neither a "SpecialToken" nor a "Sequence"`;
  return object({ id: string })(value[name], `${path}.${name}`);
};
const ends: Fields = { sep: textAndId, cls: textAndId };

const postProcessor = stages('processors', {
  TemplateProcessing: { single: each(templateItem), pair: maybe(each(templateItem)) },
  BertProcessing: ends,
  RobertaProcessing: ends,
});

const decoder = stages('decoders', {
  WordPiece: { prefix: maybe(string), cleanup: maybe(boolean) },
  Metaspace: { replacement: maybe(string) },
  BPEDecoder: { suffix: maybe(string) },
  CTC: { pad_token: maybe(string), word_delimiter_token: maybe(string), cleanup: maybe(boolean) },
  Replace: replace,
  Strip: { content: string, start: maybe(count), stop: maybe(count) },
});

const model = stage({
  BPE: {
    unk_token: maybe(string),
    continuing_subword_prefix: maybe(string),
    end_of_word_suffix: maybe(string),
    fuse_unk: maybe(boolean),
    byte_fallback: maybe(boolean),
    ignore_merges: maybe(boolean),
  },
  Unigram: { unk_id: maybe(count), byte_fallback: maybe(boolean) },
  WordPiece: {
    unk_token: maybe(string),
    continuing_subword_prefix: maybe(string),
    max_input_chars_per_word: maybe(count),
  },
});

const flag = maybe(boolean);
const addedToken = object({ special: flag, lstrip: flag, rstrip: flag, single_word: flag, normalized: flag });

const description = object({
  normalizer: maybe(normalizer),
  pre_tokenizer: maybe(preTokenizer),
  model,
  post_processor: maybe(postProcessor),
  decoder: maybe(decoder),
  added_tokens: each(addedToken),
});

/** Describes the problem of a tokenizer's description, with the path of the field; undefined if it is valid. */
export function structureFault(value: unknown): string | undefined {
  return description(value, '')?.replace('".', '"');
}
