/** Whether the model meets its goal, at one glance: an icon, words, and each number beside its limit. */
import type { Faster, Judged, ShipGoal, Verdict } from '../../../src/protocol/journey';
import type { PanelState } from '../../../src/protocol/panel';
import { formatBytes, formatFactor, formatPercent } from '../../../src/format/numbers';
import { type JsonNumber, numeric } from '../../../src/format/json';
import { el } from '../../support/dom';
import { icon, type IconName } from '../../support/icons';
import { t } from '../../support/l10n';
import { button, enable } from '../../support/ui';
import { ACTION_WORDS } from './next-action';
import { type Context, type Section, whenChanged } from './section';

const SIGNS: Readonly<Record<Verdict['meets'], IconName>> = {
  yes: 'pass-filled',
  no: 'warning',
  unknown: 'circle-large',
};

const FORMATS: Readonly<Record<ShipGoal['format'], string>> = {
  gguf: 'GGUF',
  onnx: 'ONNX',
  safetensors: 'safetensors',
};

/** "Goal: GGUF q8_0, ≤ 120 MB, ≤ 1.3×", or a call for one. */
export function goalWords(goal: ShipGoal | null, faster?: Faster): string {
  if (faster) return t('Goal: {0}', t('the same text, faster'));
  if (!goal) return t('Set Goal…');
  const { maxBytes, maxRatio, maxRepetition, minSame, maxProbeLoss } = goal;
  const parts = [
    formatWords(goal),
    ...(maxBytes === undefined ? [] : [`≤ ${formatBytes(maxBytes)}`]),
    ...(maxRatio === undefined ? [] : [`≤ ${formatFactor(maxRatio)}`]),
    ...(maxRepetition === undefined ? [] : [t('repetition ≤ {0}', pointsText(maxRepetition))]),
    ...(minSame === undefined ? [] : [t('≥ {0} same tokens', formatPercent(minSame))]),
    ...(maxProbeLoss === undefined ? [] : [t('probes ≤ {0}', lossText(maxProbeLoss))]),
  ];
  return t('Goal: {0}', parts.join(', '));
}

/** "GGUF q8_0" */
const formatWords = ({ format, type }: ShipGoal): string =>
  type === undefined ? FORMATS[format] : `${FORMATS[format]} ${type}`;

/**
 * How large the model is: with a goal as it would ship, as the verdict says. A size that is not known so is that of the types
 * that the weights have, and says so.
 */
export function sizeOf({ journey: { goal, verdict }, plan }: Pick<PanelState, 'journey' | 'plan'>): {
  readonly bytes: number;
  readonly words: string;
} {
  const shipped = verdict.bytes.value;
  if (goal && shipped !== null) {
    return { bytes: shipped, words: t('{0} as {1}', formatBytes(shipped), formatWords(goal)) };
  }
  const words = formatBytes(plan.bytes);
  return { bytes: plan.bytes, words: goal ? t('{0} as stored', words) : words };
}

export function verdictSection({ send }: Pick<Context, 'send'>): Section {
  const element = el('div', { class: 'verdict', role: 'status' });
  const judge = button(ACTION_WORDS.judge, () => send({ type: 'start', action: 'judge' }), { appearance: 'link' });
  judge.title = t('Measures it on a text that chose no block and fitted no weight');
  const draw = whenChanged(
    ({ journey: { goal, faster, verdict, judgeable }, trusted }: Pick<PanelState, 'journey' | 'trusted'>) => {
      if (faster) {
        element.dataset.meets = MEETS[faster.state];
        element.replaceChildren(...fasterVerdict(faster));
        return;
      }
      const words = goal ? headOf(verdict) : t('No goal yet');
      element.dataset.meets = goal ? verdict.meets : 'unknown';
      const rest = goal
        ? judgedOf(verdict)
        : [el('span', { class: 'judged muted' }, t('A goal tells whether the model is good enough and small enough.'))];
      enable(judge, trusted);
      element.replaceChildren(
        el('strong', {}, icon(goal ? SIGNS[verdict.meets] : 'target'), words),
        ...rest,
        ...(judgeable ? [judge] : []),
      );
    },
  );
  return { element, update: ({ journey, trusted, missing }) => draw({ journey, trusted: trusted && !missing }) };
}

const MEETS: Readonly<Record<Faster['state'], Verdict['meets']>> = {
  ...{ unknown: 'unknown', pays: 'yes', written: 'yes', refused: 'no' },
};

/** What the newest forecast of drafts says. */
function fasterVerdict({ state, speedup, program }: Faster): HTMLElement[] {
  const heads: Readonly<Record<Faster['state'], string>> = {
    unknown: t('Not forecast yet'),
    pays: t('A draft makes it faster'),
    written: t('A draft makes it faster'),
    refused: t('No draft pays'),
  };
  const factor = speedup === null ? '' : formatFactor(speedup);
  const details: Readonly<Record<Faster['state'], string>> = {
    unknown: t('A forecast says beforehand whether a small copy that proposes tokens makes the same text faster.'),
    pays: t('{0} by the forecast for {1}, same text', factor, program),
    written: t('{0} by the forecast for {1}, same text; the pair is written', factor, program),
    refused: speedup === null ? t('in {0}', program) : t('at most {0} in {1}', factor, program),
  };
  return [
    el('strong', {}, icon(SIGNS[MEETS[state]]), heads[state]),
    el('span', { class: 'judged muted' }, details[state]),
  ];
}

/** "Meets the goal", "The plan fits the goal" */
function headOf({ meets, planned, repeats }: Verdict): string {
  if (meets === 'unknown') return t('Not decided');
  if (meets === 'no') return planned ? t('The plan misses the goal') : t('Misses the goal');
  if (planned) return t('The plan fits the goal');
  return repeats ? t('Meets the goal, but repeats itself') : t('Meets the goal');
}

function judgedOf({
  planned,
  bytes,
  ratio,
  byBits,
  flatters,
  repetition,
  repeats,
  same,
  probeLoss,
}: Verdict): HTMLElement[] {
  const why = t('This text chose the blocks or fitted the weights, so the number is too good');
  const doubt = el('span', { class: 'judged muted is-doubt', title: why }, t('on a text that chose or fitted it'));
  const across = t(
    'The vocabularies differ, so it is counted per token of the original, from bits per byte of the text',
  );
  const loop = el(
    'span',
    { class: 'judged is-missed' },
    icon('warning'),
    t('It repeats itself where the original does not'),
  );
  const known = ({ value, limit }: Judged<unknown>): boolean => limit !== null || (value !== null && !planned);
  return [
    judged(t('Size'), bytes, sizeText),
    judged(t('Perplexity'), ratio, ratioText),
    ...(byBits ? [el('span', { class: 'judged muted is-doubt', title: across }, t('by bits per byte'))] : []),
    ...(flatters ? [doubt] : []),
    ...(known(repetition) ? [judged(t('Repetition'), repetition, pointsText)] : []),
    ...(repeats ? [loop] : []),
    ...(known(same) ? [judged(t('Same next tokens'), same, shareText)] : []),
    ...(known(probeLoss) ? [judged(t('Probes'), probeLoss, lossText)] : []),
  ];
}

const sizeText = (bytes: JsonNumber): string => formatBytes(numeric(bytes));
const ratioText = (ratio: JsonNumber): string => formatFactor(numeric(ratio));
const pointsText = (share: JsonNumber): string => t('+{0} points', (100 * numeric(share)).toFixed(0));
const lossText = (share: JsonNumber): string => t('−{0} points', (100 * numeric(share)).toFixed(0));
const shareText = (share: JsonNumber): string => formatPercent(numeric(share));

/** "✓ Size 98.3 MB (limit 120 MB)"; without a limit the value alone. */
function judged(
  name: string,
  { value, limit, met }: Judged<JsonNumber>,
  words: (value: JsonNumber) => string,
): HTMLElement {
  const known = value === null ? t('not measured yet') : words(value);
  const text = limit === null ? t('{0} {1}', name, known) : t('{0} {1} (limit {2})', name, known, words(limit));
  const sign = met === null ? [] : [icon(met ? 'check' : 'close')];
  const kind = met === null ? '' : met ? 'is-met' : 'is-missed';
  const state = met === null ? '' : met ? t('met') : t('missed');
  return el(
    'span',
    { class: `judged ${kind}`, title: text },
    ...sign,
    el('span', {}, text),
    state === '' ? null : el('span', { class: 'visually-hidden' }, `, ${state}`),
  );
}
