/** Choices after one context, as the harness joins them: with one blank, and otherwise untouched. */
import type { AnswerChoice } from './item';
import { codePoints } from './python-text';

/** @param delimiter what stands between context and choice */
export const choicesOf = (context: string, texts: readonly string[], delimiter = ' '): AnswerChoice[] =>
  texts.map((text) => ({ context, continuation: delimiter + text, characters: codePoints(text) }));
