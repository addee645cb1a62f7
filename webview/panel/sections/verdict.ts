/** Whether the model may ship, at one glance: an icon, words, and each number beside its limit. */
import type { Journey, Judged, ShipGoal } from '../../../src/protocol/journey';
import type { PanelState } from '../../../src/protocol/panel';
import { formatBytes, formatFactor } from '../../../src/format/numbers';
import type { JsonNumber } from '../../../src/format/json';
import { el } from '../../support/dom';
import { icon, type IconName } from '../../support/icons';
import { t } from '../../support/l10n';
import { numeric } from '../numbers';
import { type Section, whenChanged } from './section';

const SHIPS: Readonly<Record<Journey['verdict']['ships'], { sign: IconName; words: string }>> = {
  yes: { sign: 'pass-filled', words: t('May ship') },
  no: { sign: 'warning', words: t('Not yet') },
  unknown: { sign: 'circle-large', words: t('Unknown') },
};

const FORMATS: Readonly<Record<ShipGoal['format'], string>> = {
  gguf: 'GGUF',
  onnx: 'ONNX',
  safetensors: 'safetensors',
};

/** "Goal: GGUF q8_0, ≤ 120 MB, ≤ 1.3×", or a call for one. */
export function goalWords(goal: ShipGoal | null): string {
  if (!goal) return t('Set a Goal…');
  const { maxBytes, maxRatio } = goal;
  const parts = [
    formatWords(goal),
    ...(maxBytes === undefined ? [] : [`≤ ${formatBytes(maxBytes)}`]),
    ...(maxRatio === undefined ? [] : [`≤ ${formatFactor(maxRatio)}`]),
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

export function verdictSection(): Section {
  const element = el('div', { class: 'verdict', role: 'status' });
  const draw = whenChanged(({ goal, verdict }: Journey) => {
    const { sign, words } = goal ? SHIPS[verdict.ships] : { sign: 'target' as const, words: t('No goal yet') };
    element.dataset.ships = goal ? verdict.ships : 'unknown';
    const rest = goal
      ? [judged(t('Size'), verdict.bytes, sizeText), judged(t('Perplexity'), verdict.ratio, ratioText)]
      : [el('span', { class: 'judged muted' }, t('A goal tells whether the model may ship.'))];
    element.replaceChildren(el('strong', {}, icon(sign), words), ...rest);
  });
  return { element, update: ({ journey }) => draw(journey) };
}

const sizeText = (bytes: JsonNumber): string => formatBytes(numeric(bytes));
const ratioText = (ratio: JsonNumber): string => formatFactor(numeric(ratio));

/** "✓ Size 98.3 MB (limit 120 MB)"; without a limit the value alone. */
function judged(
  name: string,
  { value, limit, met }: Judged<JsonNumber>,
  words: (value: JsonNumber) => string,
): HTMLElement {
  const known = value === null ? t('not known yet') : words(value);
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
