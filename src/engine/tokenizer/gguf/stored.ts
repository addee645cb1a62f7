/** tokenizer.json as it was, which a GGUF file may have under `tokenizer.huggingface.json`. */
import { isObject, type JsonObject } from '../../../format/json';
import { KEYS, shown, type TokenizerFields } from './fields';
import { isPadding, type Vocabulary } from './vocabulary';

/**
 * The stored text; undefined if there is none, or none that is JSON: then the lists of the file have to do.
 * @throws UserError if it is another tokenizer's: its ids are not those of the file's tokens
 */
export function readStored(fields: TokenizerFields, vocabulary: Vocabulary): string | undefined {
  const text = fields.text(KEYS.stored);
  const description = text === undefined ? undefined : parsed(text);
  if (description === undefined) return undefined;
  const why = disagreement(idsOf(description), vocabulary);
  if (why !== undefined) throw fields.damaged(KEYS.stored, `it does not fit tokenizer.ggml.tokens: ${why}`);
  return text;
}

function parsed(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) && isObject(value.model) ? value : undefined;
  } catch {
    return undefined;
  }
}

interface StoredIds {
  /** By id. */
  readonly model: ReadonlyMap<unknown, string>;
  readonly added: ReadonlySet<unknown>;
}

function idsOf({ model, added_tokens: added }: JsonObject): StoredIds {
  const vocabulary = isObject(model) ? model.vocab : undefined;
  // Unigram lists its tokens with their scores, by id; the others have ids by token.
  const entries: (readonly [unknown, string])[] = Array.isArray(vocabulary)
    ? vocabulary.map((entry: unknown, id) => [id, String(Array.isArray(entry) ? entry[0] : entry)] as const)
    : Object.entries(isObject(vocabulary) ? vocabulary : {}).map(([token, id]) => [id, token] as const);
  const listed: unknown[] = Array.isArray(added) ? added : [];
  return { model: new Map(entries), added: new Set(listed.filter(isObject).map(({ id }) => id)) };
}

/** Describes the first difference. Texts of added tokens are not compared: converters change their spaces. */
function disagreement({ model, added }: StoredIds, { tokens }: Vocabulary): string | undefined {
  const isId = (id: unknown): boolean => Number.isInteger(id) && (id as number) >= 0 && (id as number) < tokens.length;
  const beyond = [...model.keys(), ...added].find((id) => !isId(id));
  if (beyond !== undefined) return `it has the id ${JSON.stringify(beyond)}, and there are ${tokens.length} tokens`;
  for (const [id, token] of tokens.entries()) {
    if (isPadding(token, id) || added.has(id)) continue;
    const text = model.get(id);
    if (text === undefined) return `it has no token ${id}, which is ${shown(token.text)}`;
    if (text !== token.text) return `its token ${id} is ${shown(text)}, not ${shown(token.text)}`;
  }
  return undefined;
}
