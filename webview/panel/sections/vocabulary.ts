/** The newest count of a vocabulary, or a chosen one: what an application's texts need, what the rest costs, and what its loss costs. */
import type { PanelRun, VocabularyDigest, VocabularyRowDigest } from '../../../src/protocol/panel';
import { formatBytes, formatCount, formatPercent, shortNumber } from '../../../src/format/numbers';
import { numeric } from '../../../src/format/json';
import { bytesWith } from '../../../src/format/vocabularies';
import { textsText, tokensText } from '../../support/amounts';
import { el } from '../../support/dom';
import { t } from '../../support/l10n';
import { figure } from '../card';
import { scroller, table } from '../charts/table';
import { drawVocabulary, leastWords, rowsOf } from '../charts/vocabulary';
import { moment } from '../numbers';
import { computedText } from '../state/precisions';
import { runCard } from './run-card';
import { choose, startButton } from './section';

/** The least count that the user has chosen, after the id of its run. */
const MIN = 'vocabulary.min';

export const vocabularyCard = runCard({
  chart: 'vocabulary',
  title: t('Vocabulary'),
  question: t('Which tokens does your application need?'),
  has: ({ vocabulary }) => vocabulary,
  facts: ({ trusted }, { chosen }) => ({ trusted, wantedMin: chosen[MIN] ?? '' }),
  empty: () => t('Counts the tokens of your texts, and shows what leaving out the others saves and costs.'),
  action: 'vocabulary',
  draw: ({ frame, context }) => ({
    run: ({ run, result, again, list }, { trusted, wantedMin }) => {
      const rows = rowsOf(result);
      const own = rows.find(({ min }) => min === result.min) ?? rows[0];
      let row = rows.find(({ min }) => `${run.id} ${min}` === wantedMin) ?? own;
      const show = (now: VocabularyRowDigest): void => {
        row = now;
        frame.setFigures(...figuresOf(result, now));
      };
      const trim = (): void => context.send({ type: 'start/vocabulary', run: run.id, min: row.min });
      const isReport = result.written === undefined && !context.still;
      const primary = startButton(trusted, t('Trim with This Threshold…'), trim, { appearance: 'primary' });
      frame.setTools(...(isReport ? [primary] : []), ...again, ...list);
      frame.setNote(...noteOf(result));
      frame.setBelow(...belowOf(result));
      show(row);
      frame.show(summaryOf(run, result), (width) =>
        drawVocabulary(result, row, width, frame, {
          show,
          take: ({ min }) => choose(context, MIN, `${run.id} ${min}`),
        }),
      );
    },
  }),
});

/** "+7.7 %", "−3.1 %" */
const changeText = (after: number, before: number): string => {
  const share = after / before - 1;
  return `${share < 0 ? '−' : '+'}${formatPercent(Math.abs(share))}`;
};

function figuresOf(digest: VocabularyDigest, row: VocabularyRowDigest): HTMLElement[] {
  const { size, parameters } = digest;
  const { kept, coverage, growth } = row;
  const isHeld = digest.heldOut.pieces > 0 && coverage !== null;
  const longer = growth === null ? t('length not measured here') : t('{0}× as many tokens', shortNumber(growth));
  const bytes = bytesWith(row.parameters, digest);
  return [
    figure(t('Tokens that stay'), formatCount(kept), t('{0} of {1}', formatPercent(kept / size), formatCount(size))),
    figure(
      t('Parameters'),
      formatCount(row.parameters),
      [changeText(row.parameters, parameters.before), ...blocksText(digest, row)].join(', '),
    ),
    figure(
      t('Files'),
      row.parameters === parameters.after ? formatBytes(bytes) : `≈ ${formatBytes(bytes)}`,
      t('{0} of {1}', changeText(bytes, digest.bytes.before), formatBytes(digest.bytes.before)),
    ),
    isHeld
      ? figure(t('Held-out tokens kept'), formatPercent(coverage), longer)
      : figure(t('Held-out tokens kept'), '–', t('nothing was held out')),
    ...lossFigures(digest, row),
  ];
}

/** What removing blocks would have to do for it: "like 2.4 of 30 blocks". */
function blocksText({ parameters, asBlocks }: VocabularyDigest, row: VocabularyRowDigest): string[] {
  const all = parameters.before - parameters.after;
  if (!asBlocks || all <= 0) return [];
  const count = (asBlocks.count * (parameters.before - row.parameters)) / all;
  return [
    count > asBlocks.of
      ? t('more than all {0} blocks', asBlocks.of)
      : t('like {0} of {1} blocks', shortNumber(count, 2), asBlocks.of),
  ];
}

/** What the loss costs, which is measured for the least count of the run alone. */
function lossFigures({ min: own, heldOut: { bits } }: VocabularyDigest, { min }: VocabularyRowDigest): HTMLElement[] {
  if (!bits) return [];
  const [before, after] = [numeric(bits.before), numeric(bits.after)];
  const from = t('from {0}, {1}', shortNumber(before), changeText(after, before));
  const words = own === min ? from : t('for a least count of {0}', own);
  return [figure(t('Bits per byte'), shortNumber(after), words)];
}

/** Why it is not worth it comes first. */
function noteOf({ advice, heldOut }: VocabularyDigest): string[] {
  if (advice !== undefined) return [t('⚠ Not worth it here: {0}.', advice)];
  return heldOut.pieces === 0
    ? [t('⚠ Nothing was held out, so nothing is known of other texts: name a text that shows it.')]
    : [];
}

function summaryOf({ digest }: PanelRun, { size, min, counts, texts, heldOut, written }: VocabularyDigest): string {
  const seen = counts.reduce((sum, { tokens }) => sum + tokens, 0);
  return [
    t(
      '{0}: {1} of {2} counted, {3}.',
      digest.model.name,
      tokensText(texts.tokens),
      textsText(texts.files),
      moment(digest.started),
    ),
    ...(min === 1 ? [t('For a least count of 1 they are encoded as before.')] : []),
    t('{0} of the model’s {1} tokens occur in none of them.', formatCount(Math.max(0, size - seen)), formatCount(size)),
    ...(written === undefined ? [] : [t('Written to {0}.', written)]),
    ...(heldOut.pieces === 0
      ? []
      : [
          heldOut.file === undefined
            ? t('Held out: {0} pieces of the texts that were not counted.', formatCount(heldOut.pieces))
            : t('Held out: {0}.', heldOut.file),
        ]),
    ...(heldOut.bits ? [computedText(digest)] : []),
  ].join(' ');
}

/** What the original gives tokens that go, and the words that suffer most. */
function belowOf(digest: VocabularyDigest): HTMLElement[] {
  const { words, min } = digest;
  if (words.length === 0) return massOf(digest);
  const title = t('Words of the held-out text that suffer most');
  const made = table(
    title,
    [t('Word'), t('Occurs'), t('Tokens before'), t('Tokens after')],
    words.map(({ text, count, before, after }) => [
      el('span', { dir: 'auto' }, text),
      formatCount(count),
      formatCount(before),
      formatCount(after),
    ]),
  );
  const scrolled = scroller(title, made);
  scrolled.classList.add('words');
  const staying = t('where tokens stay that occur {0}', leastWords(min));
  return [...massOf(digest), el('h3', {}, title, ' ', el('span', { class: 'muted' }, staying)), scrolled];
}

function massOf({ min, heldOut: { bits, outsideMass } }: VocabularyDigest): HTMLElement[] {
  const mass = numeric(outsideMass ?? 'NaN');
  if (!Number.isFinite(mass)) return [];
  const words = t(
    'On the held-out text the original gives {0} of its probability to tokens that go, for a least count of {1}.',
    ...([formatPercent(mass), min] as const),
  );
  const isLower = bits !== undefined && numeric(bits.after) < numeric(bits.before);
  const why = t('Bits per byte are lower because the model cannot say other tokens then, not because it reads better.');
  return [el('p', {}, isLower ? `${words} ${why}` : words)];
}
