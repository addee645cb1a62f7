/** How large a GGUF file becomes by what healing or training changed, and why. */
import { formatBytes } from '../format/numbers';
import { l10n } from '../l10n';
import type { FinerTypes } from '../engine/write/gguf/finer';

/** "14 changed matrices are kept in finer types (q5_1, q8_0): 2.9 MB more" */
export function finerWords({ matrices, bytes, types }: FinerTypes): string {
  const { t } = l10n;
  const names = [...new Set(types.map(({ to }) => to.toLowerCase()))].join(', ');
  const more = formatBytes(Math.max(0, bytes));
  return matrices === 1
    ? t('1 changed matrix is kept in a finer type ({0}): {1} more', names, more)
    : t('{0} changed matrices are kept in finer types ({1}): {2} more', matrices, names, more);
}
