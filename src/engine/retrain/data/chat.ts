/**
 * Conversations: the checkpoint's chat template formats them, and the loss is on the assistant's answers.
 *
 * A template is a program, so its output cannot be searched for the turns. Turns are found by rendering the
 * conversation up to each turn. The text that a turn adds after the generation prompt is the target.
 */
import type { ChatMessage } from '../../tokenizer/tokenizer';
import { type Example, exampleWithTargets, type Span } from './example';
import type { EncodingOptions, TextEncoder } from './options';

/**
 * The example of one conversation, at most `length` tokens. Some templates change a turn when later turns follow (for
 * example, they drop the reasoning of earlier turns). Such a turn is read but is not a target.
 * @throws UserError when the template refuses the conversation
 */
export async function chatExample(
  messages: readonly ChatMessage[],
  encoder: TextEncoder,
  { length, eosTokenId }: EncodingOptions,
): Promise<{ example: Example; truncated: boolean }> {
  const text = await encoder.chat(messages, { addGenerationPrompt: false });
  const encode = (part: string) => encoder.encode(part, { addSpecialTokens: false }); // the template adds the special tokens
  const all = await encode(text);
  const ids = all.slice(0, length);
  const spans: Span[] = [];
  for (const [turn, { role }] of messages.entries()) {
    if (role !== 'assistant') continue;
    const before = await openingOf(messages.slice(0, turn), encoder, text);
    const after = await encoder.chat(messages.slice(0, turn + 1), { addGenerationPrompt: false });
    if (before === undefined || !text.startsWith(after)) continue;
    const start = (await encode(before)).length;
    if (start >= length) continue;
    const end = Math.min((await encode(after)).length, length);
    spans.push({ start, end: endOfTurn(ids, start, end, eosTokenId) });
  }
  return { example: exampleWithTargets(ids, spans), truncated: all.length > length };
}

/**
 * The text before an answer, including the start of the answer if the template writes the same one for both. An
 * assistant turn without a user turn before it has no such text.
 */
async function openingOf(
  before: readonly ChatMessage[],
  encoder: TextEncoder,
  text: string,
): Promise<string | undefined> {
  if (before.length === 0) return undefined;
  for (const addGenerationPrompt of [true, false]) {
    const opening = await encoder.chat(before, { addGenerationPrompt });
    if (text.startsWith(opening)) return opening;
  }
  return undefined;
}

/** Generation stops at EOS, so text that a template writes after it (often a line break) is not a target. */
function endOfTurn(ids: readonly number[], start: number, end: number, eosTokenId: number | undefined): number {
  const eos = eosTokenId === undefined ? -1 : ids.lastIndexOf(eosTokenId, end - 1);
  return eos < start ? end : eos + 1;
}
