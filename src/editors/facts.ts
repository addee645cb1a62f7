/** The facts of a checkpoint as names and values to display. */
import { formatLayerNumber, layerNumber, type LayerNumber } from '../engine/checkpoint/layer-numbers';
import type { Summary } from '../engine/checkpoint/summary';
import type { Trait } from '../engine/checkpoint/traits';
import { savingWords } from '../jobs/saving-words';
import { l10n } from '../l10n';
import type { ModelActions, Property } from '../protocol/editor';
import { formatBytes, formatCount, formatShare, shortCount } from '../format/numbers';

const TRAIT_NAMES: Readonly<Record<Trait, () => string>> = {
  mixers: () => l10n.t('Mixers'),
  experts: () => l10n.t('Experts'),
  windows: () => l10n.t('Windows'),
  rotation: () => l10n.t('Rotation'),
  norms: () => l10n.t('Norms'),
  biases: () => l10n.t('Biases'),
  caps: () => l10n.t('Caps'),
  factors: () => l10n.t('Factors'),
  fused: () => l10n.t('Matrices'),
};

/** Longer values are cut. A table cannot show them, and the file has them. */
const LONGEST_VALUE = 20_000;
/** Limit of entries of a config or of metadata. */
const MAX_PROPERTIES = 5000;

/** The known facts of `summary`. */
export function factsOf(summary: Summary): Property[] {
  const facts: Property[] = [
    {
      name: l10n.t('Architecture'),
      value: summary.architecture ?? l10n.t('unknown'),
      ...(summary.coppiceOnly && { note: l10n.t('lists the shapes of its blocks; only Coppice opens it') }),
    },
  ];
  const add = (name: string, value: string | null | undefined, note?: string): void => {
    if (value === null || value === undefined) return;
    facts.push({ name, value, ...(note !== undefined && note !== value && { note }) });
  };
  const count = (value: LayerNumber | null): string | null =>
    value === null ? null : formatLayerNumber(value, formatCount);
  if (summary.bytes > 0) {
    add(l10n.t('Parameters'), shortCount(summary.parameters), formatCount(summary.parameters));
    add(l10n.t('Size'), formatBytes(summary.bytes), l10n.t('{0} bytes', formatCount(summary.bytes)));
  }
  add(l10n.t('Blocks can go'), savingWords(summary));
  add(l10n.t('Types'), typesOf(summary));
  add(l10n.t('Blocks'), count(summary.blocks));
  const perBlock = summary.blockParameters;
  if (perBlock.length > 0) {
    const each = layerNumber(perBlock);
    add(l10n.t('Parameters per block'), formatLayerNumber(each, shortCount), formatLayerNumber(each, formatCount));
  }
  add(l10n.t('Hidden size'), count(summary.hidden));
  add(l10n.t('Heads'), headsOf(summary));
  for (const [trait, name] of Object.entries(TRAIT_NAMES) as [Trait, () => string][])
    add(name(), summary.traits[trait]);
  add(l10n.t('FFN size'), count(summary.ffn));
  add(l10n.t('Vocabulary'), count(summary.vocabulary));
  add(l10n.t('Context'), count(summary.context), l10n.t('tokens'));
  if (summary.tied !== null) {
    add(l10n.t('LM head'), summary.tied ? l10n.t('tied to the embedding') : l10n.t('separate matrix'));
  }
  const { unsupported } = summary;
  if (unsupported) add(l10n.t('Can be pruned'), l10n.t('No: {0}', unsupported.why), unsupported.action);
  else facts.push({ name: l10n.t('Can be pruned'), value: l10n.t('Yes'), leadsToActions: true });
  return facts;
}

/** What can be done with the model. */
export const actionsOf = ({ unsupported }: Summary): ModelActions =>
  unsupported ? { cannotPrune: unsupported.why } : {};

function typesOf({ dtypes }: Summary): string | null {
  const types = Object.entries(dtypes).sort(([, a], [, b]) => b - a);
  const total = types.reduce((sum, [, count]) => sum + count, 0);
  if (types.length === 0) return null;
  return types.map(([type, count]) => (types.length === 1 ? type : `${type} ${formatShare(count, total)}`)).join(', ');
}

function headsOf({ heads, kvHeads, headDim }: Summary): string | null {
  if (heads === null) return null;
  const count = (value: LayerNumber): string => formatLayerNumber(value, formatCount);
  const isShared = kvHeads !== null && String(kvHeads) !== String(heads);
  const shared = isShared ? [l10n.t('{0} for keys and values', count(kvHeads))] : [];
  const wide = headDim === null ? [] : [l10n.t('size {0} each', count(headDim))];
  return [count(heads), ...shared, ...wide].join(', ');
}

/** The top level of a parsed JSON object as properties. */
export function jsonProperties(object: Readonly<Record<string, unknown>>): Property[] {
  return cut(
    Object.entries(object).map(([name, value]) =>
      textProperty(name, typeof value === 'string' ? value : JSON.stringify(value)),
    ),
  );
}

/** A property with a text, which is cut if it is too long. */
export function textProperty(name: string, text: string, note?: string): Property {
  if (text.length <= LONGEST_VALUE) return { name, value: text, ...(note !== undefined && { note }) };
  return {
    name,
    value: `${text.slice(0, LONGEST_VALUE)}…`,
    note: l10n.t('first {0} of {1} characters', formatCount(LONGEST_VALUE), formatCount(text.length)),
  };
}

export function cut(properties: readonly Property[]): Property[] {
  const more = properties.length - MAX_PROPERTIES;
  if (more <= 0) return [...properties];
  return [...properties.slice(0, MAX_PROPERTIES), { name: '…', value: l10n.t('and {0} more', formatCount(more)) }];
}
