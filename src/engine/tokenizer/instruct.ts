/** Whether a model was trained to answer in a chat. A template alone does not say so: many base models come with one. */
import { isObject, type JsonObject } from '../../format/json';
import { readTemplate } from './files';

export interface ChatKind {
  /** The tokenizer has a chat template. */
  readonly template: boolean;
  /** The model answers in a chat, as far as its files tell. */
  readonly instruct: boolean;
}

/** Words in the names of models that answer. */
const NAMED = /(^|[-_./ ])(instruct|chat|it|sft|dpo|assistant)([-_./ ]|$)/i;

/**
 * A model that answers ends a text where its template ends an answer: one of its end tokens is in the template. A base
 * model with a template has another end token.
 * @param place folder or GGUF file; of a GGUF file, only the name is considered
 */
export async function chatKindOf(place: string, name: string, eosTokenIds: readonly number[] = []): Promise<ChatKind> {
  const { text, settings } = await readTemplate(place);
  if (text === undefined) return { template: false, instruct: false };
  const ends = [contentOf(settings.eos_token), ...eosTokenIds.map((id) => addedToken(settings, id))];
  const inTemplate = ends.some((end) => end !== undefined && end !== '' && text.includes(end));
  return { template: true, instruct: inTemplate || /\beos_token\b/.test(text) || NAMED.test(name) };
}

/** Some checkpoints write a token as `{content, …}`. */
function contentOf(token: unknown): string | undefined {
  const content = isObject(token) ? token.content : token;
  return typeof content === 'string' ? content : undefined;
}

const addedToken = ({ added_tokens_decoder: added }: JsonObject, id: number): string | undefined =>
  isObject(added) ? contentOf(added[String(id)]) : undefined;
