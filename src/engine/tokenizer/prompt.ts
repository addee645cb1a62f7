/** A prompt as the ids that a model continues: the text itself, or what the chat template makes of a user's message. */
import type { Tokenizer } from './tokenizer';

/** @throws UserError for a chat where there is no template */
export async function encodePrompt(
  tokenizer: Tokenizer,
  prompt: string,
  { chat = false }: { readonly chat?: boolean },
): Promise<number[]> {
  if (!chat) return tokenizer.encode(prompt, { addSpecialTokens: true });
  const text = await tokenizer.chat([{ role: 'user', content: prompt }], { addGenerationPrompt: true });
  return tokenizer.encode(text, { addSpecialTokens: false }); // the template writes them itself
}
