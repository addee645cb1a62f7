/** The export of a card: one button with a menu of the formats. */
import { t } from '../../support/l10n';
import { menuButton } from '../../support/menu';

/** Saves a card as a file. */
export type Exports = Readonly<Partial<Record<'SVG' | 'PNG' | 'CSV' | 'JSON', () => void>>>;

/** @param title of the card */
export function exportControl(title: string, exports: Exports): HTMLElement {
  const items = Object.entries(exports).map(([label, act]) => ({
    label,
    name: t('Export “{0}” as {1}', title, label),
    act,
  }));
  const element = menuButton('desktop-download', t('Export “{0}”', title), items);
  element.classList.add('exports');
  return element;
}
