/** The application's own text, in place of the texts that a job reads: each job has rows of it that the others do not see. */
import { option, type OptionName } from '../../engine/option-token';
import { l10n } from '../../l10n';
import { excluding } from '../define';
import { file, type Option } from '../option';

/**
 * @param rows whose rows of it are read: "its judging rows"
 * @param instead the options whose place it takes; none of them may be given with it
 */
export const application = (rows: string, ...instead: readonly OptionName[]): Option<string, 'optional'> =>
  excluding(ofApplication(rows, ...instead), 'share');

/** The same for a job that reads no share of a text. */
export const ofApplication = (rows: string, ...instead: readonly OptionName[]): Option<string, 'optional'> =>
  file(
    `what the application reads and writes, in place of ${instead.map((name) => option(name)).join(' and ')}: chats (JSONL), prompts or documents, ` +
      `a file or a folder; ${rows}`,
    {
      noun: () => l10n.t('the application’s text'),
      placeholder: 'path',
      conflicts: [...instead],
    },
  );
