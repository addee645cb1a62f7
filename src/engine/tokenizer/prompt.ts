/** The prompt's token ids: of the text itself, or of a user message formatted by the chat template. */
import type { Tokenizer } from './tokenizer';

/** @throws UserError for a chat without a chat template */
export async function encodePrompt(
  tokenizer: Tokenizer,
  prompt: string,
  { chat = false }: { readonly chat?: boolean },
): Promise<number[]> {
  if (!chat) return tokenizer.encode(prompt, { addSpecialTokens: true });
  const text = await tokenizer.chat([{ role: 'user', content: prompt }], { addGenerationPrompt: true });
  return tokenizer.encode(text, { addSpecialTokens: false }); // the template adds them
}
