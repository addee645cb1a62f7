/** What a run was made of: settings, inputs, device and versions. It is in the row that the user opens. */
import type { PanelRun } from '../../../src/protocol/panel';
import { el } from '../../support/dom';
import { t } from '../../support/l10n';
import { formatMeasured } from '../numbers';
import { arithmeticText } from '../state/precisions';

/** Characters of a setting: an earlier conversation may be long, and the file has all of it. */
const MOST = 300;

type Facts = readonly (readonly [name: string, value: string])[];

export function runDetails({ digest, changed, unchecked = [] }: PanelRun): HTMLElement {
  const { started, finished, model, removed, adapter, inputs, settings, versions } = digest;
  const seconds = (Date.parse(finished) - Date.parse(started)) / 1000;
  const facts: Facts = [
    [t('Model'), model.name],
    ...(removed.length > 0 ? [[t('Removed blocks'), removed.join(', ')] as const] : []),
    ...(adapter === undefined ? [] : [[t('Adapter'), adapter] as const]),
    [t('Started'), new Date(started).toLocaleString()],
    ...(seconds >= 0 ? [[t('Took'), formatMeasured(seconds)] as const] : []),
    [t('Computed in'), arithmeticText(digest) || '–'],
    [t('Versions'), versions],
    ...(changed.length > 0 ? [[t('Changed since'), changed.join('; ')] as const] : []),
    ...(unchecked.length > 0 ? [[t('Not checked'), unchecked.join('; ')] as const] : []),
  ];
  const read: Facts = inputs.map(({ role, name, hash }) => [
    role,
    hash === undefined ? name : `${name} (${hash.slice(0, 12)})`,
  ]);
  return el(
    'div',
    { class: 'run-details' },
    group(t({ message: 'Run', comment: 'Noun: a recorded job' }), facts),
    group(t('Inputs'), read),
    group(t('Settings'), settings),
  );
}

/** Names of inputs and settings are those of the record, as on the command line. */
const group = (title: string, facts: Facts): HTMLElement | null =>
  facts.length === 0
    ? null
    : el(
        'section',
        {},
        el('h3', {}, title),
        el('dl', {}, ...facts.flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, cut(value))])),
      );

const cut = (text: string): string => (text.length > MOST ? `${text.slice(0, MOST)}…` : text);
