/** What an application reads and writes, one record after the other: conversations, prompts with answers, instructions, documents. */
import { isObject, type JsonObject } from '../../format/json';
import type { ChatMessage } from '../tokenizer/tokenizer';
import type { Instruction } from './prompted';

export type ApplicationRecord =
  | { readonly kind: 'chat'; readonly messages: readonly ChatMessage[] }
  /** A prompt with what came of it: a conversation of two turns, where the model has a chat template. */
  | { readonly kind: 'answer'; readonly prompt: string; readonly response: string }
  | { readonly kind: 'instruction'; readonly instruction: Instruction }
  | { readonly kind: 'document'; readonly text: string };

/** Fields that records may have, for messages. */
export const RECORD_FIELDS =
  '"messages", "conversations", "prompt" with or without "response", "instruction" and "output", or "text"';

/** Names of the answer to a prompt. */
const RESPONSES = ['response', 'completion'] as const;

/**
 * The record of a JSON value: an object with the fields above, or a text, which is a prompt or a document.
 * @returns why it is none, if it is none: "has no string …"
 */
export function recordOf(value: unknown): ApplicationRecord | string {
  if (typeof value === 'string') return { kind: 'document', text: value };
  if (!isObject(value)) return 'is neither a text nor a JSON object';
  if ('messages' in value) return chatOf(value.messages, 'messages');
  if ('conversations' in value) return chatOf(value.conversations, 'conversations');
  if ('instruction' in value) return instructionOf(value); // before "text": Alpaca on the Hub has both
  if ('prompt' in value) return answerOf(value);
  if (typeof value.text === 'string') return { kind: 'document', text: value.text };
  if ('text' in value) return 'has no string "text"';
  const fields = Object.keys(value)
    .slice(0, 8)
    .map((name) => JSON.stringify(name));
  return fields.length === 0 ? 'has no fields' : `has the fields ${fields.join(', ')}`;
}

/** Roles of ShareGPT's conversations. */
const ROLES: Readonly<Record<string, string>> = { human: 'user', gpt: 'assistant', bing: 'assistant' };

function chatOf(list: unknown, field: string): ApplicationRecord | string {
  if (!Array.isArray(list) || list.length === 0) return `has no list of messages in "${field}"`;
  const messages: ChatMessage[] = [];
  for (const [i, each] of list.entries()) {
    const message = isObject(each) ? messageOf(each) : undefined;
    if (message === undefined) return `has no role and text in "${field}[${i}]"`;
    messages.push(message);
  }
  return { kind: 'chat', messages };
}

function messageOf({ role, from, content, value }: JsonObject): ChatMessage | undefined {
  const who = role ?? from;
  const text = contentOf(content ?? value);
  return typeof who !== 'string' || text === undefined ? undefined : { role: ROLES[who] ?? who, content: text };
}

/** A text, or the texts of its parts: other parts, such as pictures, are passed over. */
function contentOf(content: unknown): string | undefined {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return undefined;
  const texts = content.flatMap((part: unknown) =>
    isObject(part) && typeof part.text === 'string' ? [part.text] : [],
  );
  return texts.length === 0 ? undefined : texts.join('\n');
}

function instructionOf({ instruction, input, output }: JsonObject): ApplicationRecord | string {
  if (typeof instruction !== 'string') return 'has no string "instruction"';
  if (typeof output !== 'string') return 'has no string "output"';
  if (input !== undefined && input !== null && typeof input !== 'string') return 'has no string "input"';
  return { kind: 'instruction', instruction: { instruction, input: input ?? '', output } };
}

function answerOf(value: JsonObject): ApplicationRecord | string {
  const { prompt } = value;
  if (typeof prompt !== 'string') return 'has no string "prompt"';
  const field = RESPONSES.find((name) => name in value);
  if (field === undefined) return { kind: 'document', text: prompt };
  const response = value[field];
  return typeof response === 'string' ? { kind: 'answer', prompt, response } : `has no string "${field}"`;
}

/** Whether there is nothing to read. */
export function isEmptyRecord(record: ApplicationRecord): boolean {
  switch (record.kind) {
    case 'chat':
      return record.messages.every(({ content }) => content.trim() === '');
    case 'answer':
      return `${record.prompt}${record.response}`.trim() === '';
    case 'instruction':
      return `${record.instruction.instruction}${record.instruction.output}`.trim() === '';
    case 'document':
      return record.text.trim() === '';
  }
}
