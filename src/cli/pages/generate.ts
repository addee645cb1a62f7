/** What `coppice generate` prints: the prompt and the streamed text, and the speed at the end. */
import { counted } from '../../format/words';
import { formatNumber } from '../../format/numbers';
import type { Page } from './page';

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
        `${counted(promptIds.length, 'prompt token')} at ${formatNumber(prefillTokensPerSecond, 3)}/s, ` +
          `${counted(ids.length, 'new token')} at ${formatNumber(decodeTokensPerSecond, 3)}/s on ${device?.provider ?? 'cpu'}`,
      );
      return [];
    },
  };
};
