/** The newest forecast of speculative decoding, or a chosen one: what drafts would gain, and the pair to write or to run. */
import type { DraftDigest, DraftRowDigest, PanelRun } from '../../../src/protocol/panel';
import { judgedSpeedup } from '../../../src/format/drafts';
import { formatBytes, formatPercent, shortNumber } from '../../../src/format/numbers';
import { tokensText } from '../../support/amounts';
import { el } from '../../support/dom';
import { t } from '../../support/l10n';
import { button } from '../../support/ui';
import { figure } from '../card';
import { drawDrafts } from '../charts/drafts';
import { missing, scroller, table } from '../charts/table';
import { moment } from '../numbers';
import { fasterText, lengthText, rangedText } from '../state/drafts';
import { runCard } from './run-card';
import { type Context, startButton } from './section';
import './draft.css';

export const draftCard = runCard({
  chart: 'draft',
  title: t('Draft'),
  question: t('Does a draft make the same text faster?'),
  has: ({ draft }) => draft,
  facts: ({ trusted }) => ({ trusted }),
  empty: () => t('Says beforehand whether a small copy that proposes tokens would make the model faster.'),
  action: 'draft',
  draw: ({ frame, context }) => ({
    run: ({ run, result, again, list }, { trusted }) => {
      frame.setTools(...actionsOf(run, result, trusted, context), ...again, ...list);
      frame.setFigures(...figuresOf(result));
      frame.setNote(...noteOf(result));
      frame.setBelow(...tableOf(result), costsOf(result));
      frame.show(summaryOf(run, result), (width) => drawDrafts(result, width, frame));
    },
  }),
});

/** What to do with it: the pair is written where it is not there yet, and run where it is. */
function actionsOf(
  { id }: PanelRun,
  { verdict, chosen, written }: DraftDigest,
  trusted: boolean,
  { still, send }: Context,
): HTMLElement[] {
  if (still || chosen === undefined) return [];
  if (written !== undefined) return [button(t('Copy Code'), () => send({ type: 'draft/code', run: id }))];
  const write = (): void => send({ type: 'draft/write', run: id });
  // Whoever wants it although it does not pay, may.
  const appearance = verdict === 'pays' ? 'primary' : 'secondary';
  return [startButton(trusted, t('Write Pair…'), write, { appearance })];
}

const bestOf = ({ drafts, chosen }: DraftDigest): DraftRowDigest | undefined =>
  drafts.find(({ name }) => name === chosen);

function figuresOf(digest: DraftDigest): HTMLElement[] {
  const best = bestOf(digest);
  if (!best) return [];
  const { heldOutSpeedup, bytes: own } = digest;
  const { speedup, tokensPerRound, agree, overlap, c, bytes } = best;
  // What decides are prompts that chose nothing.
  const judged = judgedSpeedup(digest);
  const chose = heldOutSpeedup === undefined ? t('same text') : t('{0} where chosen', fasterText(speedup));
  const common = overlap === undefined ? '' : t('{0} in common', formatPercent(Number(overlap)));
  return [
    ...(judged === null ? [] : [figure(t('Times as fast'), fasterText(judged), chose)]),
    figure(t('Tokens a pass'), shortNumber(tokensPerRound, 3), t('at most {0} at once', lengthText(best))),
    figure(t('Agrees'), formatPercent(agree), common),
    figure(
      t('Pass of the draft'),
      c === null ? '–' : formatPercent(c),
      c === null ? t('not measured') : t('of the model’s time'),
    ),
    ...(bytes === undefined
      ? []
      : [
          figure(
            t('More weights'),
            `+${formatBytes(bytes)}`,
            own === undefined ? '' : t('beside {0}', formatBytes(own)),
          ),
        ]),
  ];
}

/** The verdict, and what was seen where the pair ran. */
function noteOf({ verdict, why, verified }: DraftDigest): HTMLElement[] {
  const ran = verified && [
    t('{0} ran the pair:', verified.by),
    t('{0} of {1} texts are the model’s own,', verified.textsEqual, verified.texts),
    t('in {0} passes of the model; {1} were forecast.', verified.rounds, verified.forecastRounds),
  ];
  return [
    el('p', { class: 'draft-verdict' }, el('strong', {}, verdict === 'refused' ? `⚠ ${why}` : why)),
    ...(ran ? [el('p', {}, ran.join(' '))] : []),
  ];
}

function summaryOf({ digest }: PanelRun, found: DraftDigest): string {
  const { title, version, type, text, written } = found;
  const held = text.heldOut === 0 ? '' : t(', {0} of them held out', text.heldOut);
  return [
    t(
      '{0} for {1}: {2} that the model writes for {3} prompts of {4}{5}.',
      digest.model.name,
      [title, version].filter(Boolean).join(' '),
      ...([tokensText(text.tokens), text.prompts, text.source, held] as const),
    ),
    type === 'stored' ? t('The model in its own type.') : t('The model in {0}.', type),
    ...(text.temperature === 0 ? [] : [t('Drawn at temperature {0}.', text.temperature)]),
    ...(written === undefined ? [] : [t('Written to {0}.', written)]),
    moment(digest.started),
  ].join(' ');
}

/** What the speed-ups rest on. */
function costsOf({ costs, perfect }: DraftDigest): HTMLElement {
  const most = perfect && t('A draft that is always right would give {0}.', fasterText(perfect.speedup));
  return el('p', { class: 'muted' }, [costsText(costs), most].filter(Boolean).join(' '));
}

function costsText(costs: DraftDigest['costs']): string {
  if (!costs) return t('No cost is known, so tokens of a pass are shown.');
  const times = costs.rows.map((rows, i) => `${rows}: ${shortNumber(costs.v[i], 3)}`).join(', ');
  const { measuredIn, runs } = costs;
  const how =
    measuredIn === undefined
      ? t('as given')
      : runs === undefined
        ? t('measured in {0}', measuredIn)
        : t('measured in {0}, medians of {1}', measuredIn, runs);
  return t('Time of reading so many rows at once over that of one: {0} ({1}).', times, how);
}

/** A row for each draft. */
function tableOf({ drafts, chosen }: DraftDigest): HTMLElement[] {
  if (drafts.length === 0) return [];
  const title = t('Drafts');
  const head = [
    t('Draft'),
    t('Agrees'),
    t('Cost of a pass'),
    t('Best length'),
    t('Tokens a pass'),
    t('Times as fast'),
    t('Weights'),
  ];
  const rows = drafts.map((draft) => [
    draftName(draft, chosen),
    formatPercent(draft.agree),
    draft.c === null ? missing() : formatPercent(draft.c),
    lengthText(draft),
    shortNumber(draft.tokensPerRound, 3),
    draft.speedup === null ? missing() : rangedText(draft),
    draft.bytes === undefined ? missing() : formatBytes(draft.bytes),
  ]);
  return [scroller(title, table(title, head, rows))];
}

function draftName({ name, trivial, healed }: DraftRowDigest, chosen: string | undefined): HTMLElement {
  const more = [
    ...(trivial ? [t('the model itself in fewer bits')] : []),
    ...(healed ? [t('healed')] : []),
    ...(name === chosen ? [t('the best')] : []),
  ];
  const label = name === chosen ? el('strong', {}, name) : name;
  return el('span', {}, label, more.length === 0 ? null : el('span', { class: 'muted' }, ` (${more.join(', ')})`));
}
