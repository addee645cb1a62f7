/** What a new file of questions has: both kinds of questions, to be replaced. Does not use VS Code. */
import { l10n } from '../l10n';

/** Both kinds of questions. It is read as it is, so that the first run works before anything was changed. */
export const questionTemplate = (): string =>
  `${JSON.stringify(
    {
      title: l10n.t('My questions'),
      note: l10n.t('Replace these by questions that your application is asked. Coppice ignores notes.'),
      items: [
        {
          note: l10n.t('The model takes the choice that it finds most likely after the context.'),
          context: l10n.t('The sun rises in the'),
          choices: [l10n.t('east'), l10n.t('west'), l10n.t('kitchen')],
          answer: l10n.t('east'),
        },
        {
          note: l10n.t('The model writes; what it writes is compared with what is expected.'),
          prompt: l10n.t('Two and two is'),
          expected: l10n.t('four'),
        },
      ],
    },
    undefined,
    2,
  )}\n`;
