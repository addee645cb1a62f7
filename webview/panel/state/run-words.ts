/** What a run did, in words, and an icon for its kind. Records have kinds; a person reads words. Pure but for the page's texts. */
import type { IconName } from '../../support/icons';
import { t } from '../../support/l10n';
import { nameInText } from '../charts/series';

/** Characters of a prompt in a title. */
const MOST = 48;

/** A text that goes on without a word of the user has no prompt. */
const sampleWords = (prompt: string): string => {
  const cut = prompt.length > MOST ? `${prompt.slice(0, MOST).trimEnd()}…` : prompt;
  return cut === '' ? t('Sample text') : t('Sample text “{0}”', cut);
};

interface Kind {
  readonly icon: IconName;
  /** @param what the criterion, method, prompt or file of the run; empty if it has none */
  readonly words: (what: string) => string;
}

const KINDS: Readonly<Record<string, Kind>> = {
  score: { icon: 'graph', words: (what) => t('Scored blocks by {0}', nameInText(what)) },
  curve: {
    icon: 'graph-line',
    words: (what) => (what === 'ppl' ? t('Perplexity curve') : t('Perplexity curve, blocks by {0}', nameInText(what))),
  },
  eval: { icon: 'target', words: () => t('Perplexity') },
  tasks: { icon: 'pass', words: () => t('Accuracy in tasks') },
  prune: { icon: 'layers', words: () => t('Pruned checkpoint') },
  iterate: { icon: 'layers', words: () => t('Pruned iteratively') },
  width: { icon: 'layers', words: (what) => (what === '' ? t('Pruned in width') : t('Pruned in width by {0}', what)) },
  versus: { icon: 'layers', words: () => t('Depth beside width') },
  frontier: { icon: 'graph-line', words: () => t('Blocks or bits') },
  heal: { icon: 'heart', words: (what) => (what === '' ? t('Healed') : t('Healed by {0}', what)) },
  retrain: { icon: 'mortar-board', words: (what) => (what === '' ? t('Retrained') : t('Retrained: {0}', what)) },
  vocabulary: {
    icon: 'book',
    words: (what) => (what === '' ? t('Counted vocabulary') : t('Trimmed vocabulary: {0}', what)),
  },
  draft: {
    icon: 'dashboard',
    words: (what) => (what === '' ? t('Forecast a draft') : t('Draft: {0}', what)),
  },
  merge: { icon: 'package', words: () => t('Merged adapter') },
  export: { icon: 'export', words: () => t('Exported for an application') },
  verify: { icon: 'pass', words: () => t('Verified export') },
  samples: { icon: 'comment-discussion', words: sampleWords },
  generate: { icon: 'comment-discussion', words: sampleWords },
  bench: { icon: 'dashboard', words: () => t('Speed and memory') },
  speeds: { icon: 'dashboard', words: () => t('Speed of several models') },
  grid: { icon: 'dashboard', words: () => t('Speed by batch and length') },
  demo: { icon: 'play', words: () => t('Demo') },
};

/** The words for a title of the engine, such as "score · ppl"; any other title as it is. */
export function titleWords(title: string): string {
  const [kind, ...rest] = title.split(' · ');
  return Object.hasOwn(KINDS, kind) ? KINDS[kind].words(rest.join(' · ')) : title;
}

export const kindIcon = (kind: string): IconName => (Object.hasOwn(KINDS, kind) ? KINDS[kind].icon : 'history');
