/** Options for cutting a text into windows. */
import { l10n } from '../../l10n';
import { DEFAULT_WINDOW } from '../../engine/importance/drawing';
import { type Option, whole } from '../option';

/** Tokens of an evaluation window. */
export const window = (help: string): Option<number, 'default'> =>
  whole(help, {
    min: 2,
    noun: () => l10n.t('window'),
    why: 'the first token of a window is not scored',
    default: DEFAULT_WINDOW,
  });
