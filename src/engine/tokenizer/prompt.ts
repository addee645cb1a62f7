/**
 * The prompt's token ids: of the text itself, or of a conversation formatted by the chat template. What was said before
 * the prompt comes first, so that a conversation goes on where it ended.
 */
import { UserError } from '../errors';
import { option } from '../option-token';
import { type Beginning, encodeText } from './bos';
import type { ChatMessage, Tokenizer } from './tokenizer';

export interface PromptOptions {
  /** Format the prompt as a user message with the chat template. */
  readonly chat?: boolean;
  /** The system message of the chat; the template's own when undefined. */
  readonly system?: string;
  /** Earlier turns, oldest first. Without a chat template their texts are the beginning of the text. */
  readonly earlier?: readonly ChatMessage[];
  /** How a prompt without a template begins; as the tokenizer begins a text when undefined. */
  readonly beginning?: Beginning;
}

/** @throws UserError for a chat without a chat template, and for a system message that the template leaves out */
export async function encodePrompt(
  tokenizer: Tokenizer,
  prompt: string,
  { chat = false, system, earlier = [], beginning }: PromptOptions,
): Promise<number[]> {
  if (!chat) {
    const text = [...earlier.map(({ content }) => content), prompt].join('');
    return beginning ? encodeText(tokenizer, text, beginning) : tokenizer.encode(text, { addSpecialTokens: true });
  }
  const turns = [...earlier, { role: 'user', content: prompt }];
  const text = await conversation(tokenizer, turns, system);
  return tokenizer.encode(text, { addSpecialTokens: false }); // the template adds them
}

async function conversation(tokenizer: Tokenizer, turns: readonly ChatMessage[], system?: string): Promise<string> {
  const render = (content?: string): Promise<string> =>
    tokenizer.chat([...(content === undefined ? [] : [{ role: 'system', content }]), ...turns], {
      addGenerationPrompt: true,
    });
  if (system === undefined) return render();
  const text = await render(system).catch(async (error: unknown) => {
    if (!(error instanceof UserError)) throw error;
    await render(); // if this fails too, the reason is not the system message
    throw noPlace(error.why, error);
  });
  // A template that leaves out what it does not know writes the same text whatever the message says.
  if ((await render(`${system}\nX`)) === text) throw noPlace('it leaves the system message out');
  return text;
}

const noPlace = (why: string, cause?: unknown): UserError =>
  new UserError(
    'The chat template has no place for a system message',
    why,
    `Leave ${option('system')} out, or put its text at the beginning of ${option('prompt')}.`,
    { cause },
  );
