/** What `coppice generate` prints: the prompt and the streamed text, and the speed at the end. */
import { counted } from '../../format/words';
import { formatNumber } from '../../format/numbers';
import type { Page } from './page';

/** " at 40/s"; nothing where there is no speed: the first new token comes from the prompt's pass, without decoding. */
const at = (tokensPerSecond: number): string =>
  Number.isFinite(tokensPerSecond) ? ` at ${formatNumber(tokensPerSecond, 3)}/s` : '';

export const generatePage: Page<'generate'> = ({ prompt, chat }, shell) => {
  let begun = false;
  return {
    showsProgress: true,
    onEvent: ({ text }) => {
      if (!begun && prompt !== undefined) shell.stream(`${shell.style.dim(shell.shown(prompt))}${chat ? '\n' : ''}`);
      begun = true;
      shell.stream(shell.shown(text));
    },
    page: ({ promptIds, ids, prefillTokensPerSecond, decodeTokensPerSecond }, { device }) => {
      shell.stream('\n');
      shell.note(
        `${counted(promptIds.length, 'prompt token')}${at(prefillTokensPerSecond)}, ` +
          `${counted(ids.length, 'new token')}${at(decodeTokensPerSecond)} on ${device?.provider ?? 'cpu'}`,
      );
      return [];
    },
  };
};
