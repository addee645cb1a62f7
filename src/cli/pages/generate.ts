/** What `coppice generate` prints: the prompt and the streamed text, and the speed at the end. */
import { textArithmetic, textWords } from '../../format/arithmetic';
import { counted } from '../../format/words';
import { formatNumber } from '../../format/numbers';
import type { PromptsResult } from '../../jobs/results/generate';
import type { Shell } from '../execute';
import type { Page } from './page';

/** " at 40/s"; nothing where there is no speed: the first new token comes from the prompt's pass, without decoding. */
const at = (tokensPerSecond: number): string =>
  Number.isFinite(tokensPerSecond) ? ` at ${formatNumber(tokensPerSecond, 3)}/s` : '';

export const generatePage: Page<'generate'> = ({ prompt, prompts, chat }, shell) => {
  let begun = false;
  return {
    ...(prompts === undefined && { showsProgress: true }),
    onEvent: ({ text }) => {
      if (!begun && prompt !== undefined) shell.stream(`${shell.style.dim(shell.shown(prompt))}${chat ? '\n' : ''}`);
      begun = true;
      shell.stream(shell.shown(text));
    },
    page: (result, { device }) => {
      if ('texts' in result) return textsPage(result, shell);
      const { promptIds, ids, prefillTokensPerSecond, decodeTokensPerSecond, precision, draft } = result;
      shell.stream('\n');
      shell.note(
        `${counted(promptIds.length, 'prompt token')}${at(prefillTokensPerSecond)}, ` +
          `${counted(ids.length, 'new token')}${at(decodeTokensPerSecond)}, ${textArithmetic(precision, device?.provider)}`,
      );
      if (draft) {
        const { model, rounds, drafted, accepted } = draft;
        const perPass = formatNumber((rounds + accepted) / rounds, 3);
        shell.note(
          `draft ${shell.shown(model)}: ${accepted} of ${counted(drafted, 'proposed token')} stayed, ${perPass} tokens a pass of the model`,
        );
      }
      return [];
    },
  };
};

/** Prompts and texts where no file has them. */
function textsPage(
  { texts, out, batch, tokensPerSecond, precision }: PromptsResult,
  { shown, style, note }: Shell,
): string[] {
  const tokens = texts.reduce((sum, { ids }) => sum + ids.length, 0);
  note(
    `${counted(texts.length, 'text')} of ${counted(tokens, 'new token')}${at(tokensPerSecond)}, up to ${batch} side by side, ${textWords(precision)}`,
  );
  if (out !== null) return [shown(out)];
  return texts.flatMap(({ prompt, text }, i) => [
    ...(i > 0 ? [''] : []),
    `${style.dim(shown(prompt))}${shown(text ?? '')}`,
  ]);
}
