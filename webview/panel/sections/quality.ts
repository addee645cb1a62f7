/** Perplexity of the models on the panel's text, how far they are from the unpruned one, and how much they repeat. */
import type { PanelState } from '../../../src/protocol/panel';
import { formatPercent, shortNumber } from '../../../src/format/numbers';
import { evaluatedIn } from '../../../src/format/evaluated';
import { numeric } from '../../../src/format/json';
import { el } from '../../support/dom';
import { t } from '../../support/l10n';
import { cardTitle } from '../card';
import { exportCsv, exportJson } from '../charts/export';
import { exportControl } from '../charts/export-control';
import { missing, type Numbers, scroller, table } from '../charts/table';
import { divergenceText } from '../state/likeness';
import { modelText } from '../state/model-labels';
import { blocksNote, namedIn } from '../state/precisions';
import { NO_PLAN, qualitiesOf, type Quality } from '../state/qualities';
import { otherVocabulariesNote } from '../state/vocabularies';
import { textLabel } from '../state/rows';
import { ownRuns } from '../state/shown-runs';
import './quality.css';
import { type Card, type Context, type Section, whenChanged } from './section';

const HEAD = [t('Model'), t('Perplexity'), t('KL divergence'), t('Same next token'), t('Repetition')];
/** Where a model has another vocabulary. */
const BITS = t('Bits per byte');

const haveOtherVocabularies = (rows: readonly Quality[]): boolean =>
  rows.some(({ otherVocabulary }) => otherVocabulary !== undefined);

/** The bits stand behind the name. */
const headOf = (rows: readonly Quality[]): string[] =>
  HEAD.toSpliced(1, 0, ...(haveOtherVocabularies(rows) ? [BITS] : []));

const TITLE = t('Quality');

/** It compares the models that there are; no run fills it alone. */
export const qualityCard: Card = { name: 'quality', title: TITLE, make: qualitySection };

function qualitySection({ send }: Context): Section {
  const body = scroller(TITLE);
  const note = el('p', { class: 'summary' });
  let rows: readonly Quality[] = [];
  const exports = exportControl(TITLE, {
    CSV: () => exportCsv('quality', numbersOf(rows), send),
    JSON: () => exportJson('quality', numbersOf(rows), send),
  });
  const element = el(
    'section',
    { class: 'card quality', 'aria-labelledby': 'quality-title' },
    el('header', {}, cardTitle('quality', TITLE, t('How near is each model to the original?')), exports),
    note,
    body,
  );
  const draw = whenChanged((shown: Drawn) => {
    const { model, runs, text } = shown;
    rows = qualitiesOf(shown);
    const isApart = haveOtherVocabularies(rows);
    element.hidden = !isApart && rows.every(({ ppl }) => Number.isNaN(ppl));
    const measured = runs.filter(({ digest }) => evaluatedIn(digest).length > 0);
    const how =
      text &&
      t(
        'Measured on {0}, in float32 unless a name says otherwise. KL divergence: mean over tokens, from the original, in nats. Repetition: of greedy texts.',
        textLabel(text),
      );
    const apart = isApart ? [otherVocabulariesNote()] : [];
    const blocks = blocksNote(measured.map(({ digest }) => digest.precision));
    note.textContent = how ? [how, ...apart, ...blocks].join(' ') : '';
    body.replaceChildren(
      table(
        t('Quality of each model'),
        headOf(rows),
        rows.map((row) => cells(row, model.name, isApart)),
      ),
    );
  });
  return {
    element,
    update: ({ model, plan, whatIf, runs, kin, text }) => draw({ model, plan, whatIf, runs: ownRuns(runs), kin, text }),
  };
}

/** What the table depends on. */
type Drawn = Pick<PanelState, 'model' | 'plan' | 'whatIf' | 'runs' | 'kin' | 'text'>;

/** The unpruned model is named if it is not the panel's own. */
function cells(row: Quality, own: string, isApart: boolean): (HTMLElement | string)[] {
  const { label, kind, ppl, bitsPerByte: bits, kl, top1, against, repetition, precision } = row;
  const name = el(
    'span',
    { class: kind === 'plan' ? 'cost-name is-plan' : 'cost-name' },
    label === NO_PLAN ? el('span', { class: 'muted' }, t('no block removed')) : modelText(label),
    kind === 'plan' ? el('span', { class: 'badge' }, t('this plan')) : undefined,
  );
  const isOther = against !== undefined && against.model !== own;
  const to = isOther ? el('span', { class: 'muted' }, ` ${t('to {0}', against.model)}`) : undefined;
  const about = precision === undefined ? '' : '≈ ';
  const quick = precision === undefined ? undefined : el('span', { class: 'muted' }, ` ${t('in {0}', precision)}`);
  return [
    name,
    ...(isApart ? [bits === undefined ? missing() : shortNumber(bits)] : []),
    Number.isNaN(ppl) ? missing() : el('span', {}, about, shortNumber(ppl), quick),
    kl === undefined ? missing() : el('span', {}, about, divergenceText(kl), to),
    top1 === undefined ? missing() : about + formatPercent(numeric(top1)),
    repetition === undefined ? missing() : formatPercent(repetition),
  ];
}

const numbersOf = (rows: readonly Quality[]): Numbers => ({
  head: [...headOf(rows), t('Compared with')],
  rows: () =>
    rows
      .filter(({ ppl, otherVocabulary }) => otherVocabulary !== undefined || !Number.isNaN(ppl))
      .map(({ label, ppl, bitsPerByte, kl, top1, repetition, against, precision }) => [
        namedIn(label, precision),
        ...(haveOtherVocabularies(rows) ? [bitsPerByte ?? null] : []),
        Number.isNaN(ppl) ? null : ppl,
        kl === undefined ? null : numeric(kl),
        top1 === undefined ? null : numeric(top1),
        repetition ?? null,
        against?.model ?? null,
      ]),
});
