/** Quotes words of a copied command. A word that the shell cannot quote is refused: a pasted command must run nothing else. */
import { UserError } from '../engine/errors';
import { quoted, type Shell, unquotableInCmd } from '../format/shell';
import { l10n } from '../l10n';

/** Quotes a word if needed. @throws UserError when the shell cannot quote it */
export function quotedForPasting(word: string, shell: Shell): string {
  const sign = shell === 'cmd' ? unquotableInCmd(word) : undefined;
  if (sign === undefined) return quoted(word, shell);
  throw new UserError(
    l10n.t('Cannot copy the command for cmd'),
    /[\r\n]/.test(sign)
      ? l10n.t('it has a line break, which cmd cannot quote')
      : l10n.t('it has the character {0}, which cmd cannot quote here', sign),
    l10n.t('Choose PowerShell as the default terminal profile and copy again.'),
  );
}
