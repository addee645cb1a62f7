/** The configurations beside a model whose vocabulary is trimmed: every id of a token is that of the same token now. */
import { isObject, type JsonObject } from '../../format/json';
import { ID_FIELD } from './specials';

/** Lists of kinds of tokens and not of ids. */
const OTHER_LISTS: ReadonlySet<string> = new Set(['special_token_ids']);

/**
 * config.json, generation_config.json, tokenizer_config.json: "vocab_size", every field that holds ids, and the keys of
 * "added_tokens_decoder". An id that is gone leaves its list; alone, it becomes null. A list of several ids, such as a bad word, goes
 * with one of them.
 * @param size of the new vocabulary
 */
export function trimmedConfig(config: JsonObject, ids: ReadonlyMap<number, number>, size: number): JsonObject {
  return Object.fromEntries(
    Object.entries(config).map(([name, value]) => {
      if (name === 'vocab_size') return [name, size];
      if (name === 'added_tokens_decoder' && isObject(value)) return [name, decoderOf(value, ids)];
      if (name === PLACED && Array.isArray(value)) return [name, value.flatMap((pair: unknown) => placed(pair, ids))];
      if (ID_FIELD.test(name) && !OTHER_LISTS.has(name)) return [name, withIds(value, ids)];
      return [name, isObject(value) ? trimmedConfig(value, ids, size) : value];
    }),
  );
}

/** Pairs of a place in the text and the id that is forced there. */
const PLACED = 'forced_decoder_ids';

function placed(pair: unknown, ids: ReadonlyMap<number, number>): unknown[] {
  if (!Array.isArray(pair) || typeof pair[1] !== 'number') return [pair];
  const now = ids.get(pair[1]);
  return now === undefined ? [] : [[pair[0] as unknown, now]];
}

function decoderOf(decoder: JsonObject, ids: ReadonlyMap<number, number>): JsonObject {
  return Object.fromEntries(
    Object.entries(decoder).flatMap(([id, token]) => {
      const now = ids.get(Number(id));
      return now === undefined ? [] : [[String(now), token]];
    }),
  );
}

function withIds(value: unknown, ids: ReadonlyMap<number, number>): unknown {
  if (typeof value === 'number') return value < 0 ? value : (ids.get(value) ?? null);
  if (isObject(value))
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, withIds(each, ids)]));
  if (!Array.isArray(value)) return value;
  return value.flatMap((each: unknown) => {
    if (typeof each === 'number') return each < 0 ? [each] : (ids.get(each) ?? []);
    if (!Array.isArray(each)) return [each];
    // A word cannot be written any more once one of its tokens is gone.
    return each.every((id) => typeof id !== 'number' || ids.has(id)) ? [withIds(each, ids)] : [];
  });
}
