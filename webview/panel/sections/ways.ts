/**
 * The ways to the goal's size, side by side: fewer tokens, fewer blocks, fewer bits, several of them. What each takes, what ships
 * then, and what it costs, all in bits per byte.
 */
import type { PanelState } from '../../../src/protocol/panel';
import type {
  BitsWay,
  BlocksWay,
  SizeWay,
  SizeWays,
  TogetherWay,
  VocabularyWay,
  WayCost,
} from '../../../src/protocol/size-ways';
import { formatBytes, formatCount, formatPercent } from '../../../src/format/numbers';
import { el } from '../../support/dom';
import { icon } from '../../support/icons';
import { t } from '../../support/l10n';
import { scroller, table } from '../charts/table';
import { ACTION_WORDS } from './next-action';
import { type Context, type Section, startButton, whenChanged } from './section';

export function waysSection({ send }: Pick<Context, 'send'>): Section {
  const summary = el('summary', {});
  const body = el('div', { class: 'ways-body' });
  const element = el('details', { class: 'ways' }, summary, body);
  let isNew = true;
  const draw = whenChanged(({ ways, trusted }: Pick<PanelState, 'ways' | 'trusted'>) => {
    element.hidden = ways === null;
    if (!ways) return;
    summary.textContent = t('Ways to {0}', formatBytes(ways.limit));
    body.replaceChildren(
      el('p', { class: 'muted' }, introduction(ways)),
      scroller(
        t('Ways to the size'),
        table(
          t('Ways to the size'),
          [t('Way'), t('What it takes'), t('Size'), t('Bits per byte'), ''],
          rowsOf(ways, trusted, send),
        ),
      ),
    );
  });
  return {
    element,
    update: ({ ways, trusted, missing, journey }) => {
      draw({ ways, trusted: trusted && !missing });
      // It is open until something meets the size; from then on the user opens and closes it.
      if (ways && isNew) element.open = journey.verdict.bytes.met !== true;
      isNew &&= ways === null;
    },
  };
}

const introduction = ({ bytes }: SizeWays): string =>
  t(
    'As the goal asks, the model has {0} with all its tokens and blocks. Here is each way alone, with its cost if a run has measured it. Compare bits per byte of the same text only.',
    formatBytes(bytes),
  );

type Row = readonly (HTMLElement | string)[];

function rowsOf(ways: SizeWays, trusted: boolean, send: Context['send']): Row[] {
  const { vocabulary, blocks, bits, together } = ways;
  const does = (label: string, message: Parameters<Context['send']>[0]): HTMLElement =>
    startButton(trusted, label, () => send(message));
  const start = (action: 'vocabulary' | 'suggest' | 'goal'): HTMLElement =>
    does(ACTION_WORDS[action], { type: 'start', action });
  const report = vocabulary && { run: vocabulary.run, min: vocabulary.min };
  return [
    vocabulary && report
      ? [...vocabularyCells(vocabulary), does(ACTION_WORDS.vocabulary, { type: 'start/vocabulary', ...report })]
      : [
          t('Fewer tokens'),
          muted(t('not known: no text of the application was counted')),
          '–',
          '–',
          start('vocabulary'),
        ],
    [...blocksCells(blocks), start('suggest')],
    ...(bits ? [[...bitsCells(bits), start('goal')]] : []),
    ...(together
      ? [[...togetherCells(ways, together), does(t('New Recipe…'), { type: 'start/recipe', ...report })]]
      : []),
  ];
}

const muted = (words: string): HTMLElement => el('span', { class: 'muted' }, words);

const vocabularyCells = (way: VocabularyWay): Row => [
  t('Fewer tokens'),
  el('span', { title: leastText(way) }, tokensText(way)),
  sizeText(way),
  costText(way.cost, keptText(way)),
];

const blocksCells = (way: BlocksWay): Row => [
  t('Fewer blocks'),
  el('span', { title: t('Unhealed and untrained') }, withoutText(way)),
  sizeText(way),
  costText(way.cost, t('not measured: a curve does')),
];

const bitsCells = (way: BitsWay): Row => [
  t('Fewer bits'),
  way.type ?? t('the types that it has'),
  sizeText(way),
  costText(way.cost, t('not measured: an export and a comparison do')),
];

function togetherCells({ blocks: { of } }: SizeWays, way: TogetherWay): Row {
  const { kept, count, type } = way;
  const parts = [
    ...(kept === undefined ? [] : [t('{0} tokens', formatCount(kept))]),
    ...(count === 0 ? [] : [withoutText({ count, of })]),
    ...(type === undefined ? [] : [type]),
  ];
  return [t('Together'), parts.join(', '), sizeText(way), muted(t('the recipe measures it'))];
}

const withoutText = ({ count, of }: Pick<BlocksWay, 'count' | 'of'>): string =>
  t('without {0}', t('{0} of {1} blocks', count, of));

const tokensText = ({ kept, of }: VocabularyWay): string => t('{0} of {1} tokens', formatCount(kept), formatCount(of));

const leastText = ({ min }: VocabularyWay): string =>
  min === 1 ? t('All tokens that the texts use') : t('Tokens that the texts use at least {0} times', min);

const keptText = ({ coverage }: VocabularyWay): string =>
  coverage === null
    ? t('not measured: no text was held out')
    : t('not measured for this count: {0} of the held-out tokens stay', formatPercent(coverage));

/** "✓ 92.7 MB" */
function sizeText({ bytes, fits }: Pick<SizeWay, 'bytes' | 'fits'>): HTMLElement {
  return el(
    'span',
    { class: `judged ${fits ? 'is-met' : 'is-missed'}` },
    icon(fits ? 'check' : 'close'),
    el('span', {}, t('about {0}', formatBytes(bytes))),
    el('span', { class: 'visually-hidden' }, fits ? t(', small enough') : t(', too large')),
  );
}

/** "+6.8 %, on chats.txt" */
function costText(cost: WayCost | null, otherwise: string): HTMLElement {
  if (!cost) return muted(otherwise);
  const { growth, text = t('held-out pieces') } = cost;
  const change = `${growth < 0 ? '−' : '+'}${formatPercent(Math.abs(growth))}`;
  return el('span', {}, t('{0}, on {1}', change, text));
}
