/** Tokens that stay whatever the texts have: those that a configuration names, that generation needs, and that chats are written with. */
import { isObject, type JsonObject } from '../../format/json';
import { type Tokens } from './tokens';

/** Fields of configurations that hold ids of tokens: one, a list, or a list of lists. */
export const ID_FIELD = /token_ids?$|suppress_tokens$|bad_words_ids$|forced_\w+_ids$/;

/** Added tokens that hold a place for later: <unused12>, <|reserved_special_token_5|>, [PAD7], <extra_id_3>. */
const RESERVED = /^(<\|?|\[)(unused|reserved|extra|pad|dummy|special)[\w ]*?[-_ ]?\d+(\|?>|\])$/i;

/** Every id that a configuration names. */
function idsNamed(configuration: unknown, isNamed = false): number[] {
  if (Array.isArray(configuration)) return configuration.flatMap((each) => idsNamed(each, isNamed));
  if (isObject(configuration)) {
    return Object.entries(configuration).flatMap(([name, value]) => idsNamed(value, isNamed || ID_FIELD.test(name)));
  }
  return isNamed && Number.isInteger(configuration) ? [configuration as number] : [];
}

/** What names tokens besides their texts. */
export interface Naming {
  /** config.json and generation_config.json, or the metadata of a GGUF file's tokenizer. */
  readonly configurations: readonly JsonObject[];
  /** Texts of tokenizer_config.json, special_tokens_map.json and the post-processor. */
  readonly settings: string;
  /** Of chats; empty where there is none. */
  readonly template: string;
}

export function specialTokens(
  { texts, added, unknown }: Tokens,
  { configurations, settings, template }: Naming,
): number[] {
  const named = configurations.flatMap((each) => idsNamed(each)).filter((id) => texts[id] !== undefined);
  const special = [...added].filter(
    ([text, { special: is }]) =>
      (is && !RESERVED.test(text)) || template.includes(text) || (is && settings.includes(JSON.stringify(text))),
  );
  return [...new Set([...named, ...(unknown === undefined ? [] : [unknown]), ...special.map(([, { id }]) => id)])].sort(
    (a, b) => a - b,
  );
}

/** The texts in quotes of a chat template: what it writes itself. */
export const literalsOf = (template: string): string[] =>
  [...template.matchAll(/'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"/g)].map(([, single, double]) =>
    unescaped(single ?? double ?? ''),
  );

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  '0': '\0',
  '\\': '\\',
  "'": "'",
  '"': '"',
};
const unescaped = (text: string): string =>
  text.replace(/\\(.)/gs, (whole, letter: string) => ESCAPES[letter] ?? whole);
