/** Options of healing. */
import { HEAL_DEFAULTS, HEAL_METHODS } from '../../engine/heal/methods';
import { amount, choice, fileOr, list, numberOr, rate, whole } from '../option';
import { l10n } from '../../l10n';

const { tokens, length, heldOut, step, stepCut, method } = HEAL_DEFAULTS;

export const healing = {
  method: choice(
    HEAL_METHODS,
    'refit: correct every kept block after the first cut; fold: one map per cut; scalar: one factor per cut',
    { noun: () => l10n.t('the method of healing'), placeholder: 'how', default: method, recorded: true },
  ),
  ridge: numberOr(
    ['auto'],
    'shrink the correction by this ridge, in medians of the diagonal of XᵀX; auto: by rows held back from each fit (default: by the number of tokens, and 0.1 in families with a norm behind these layers)',
    { noun: () => l10n.t('the ridge'), placeholder: 'r' },
  ),
  step: amount('share of each correction that is taken', {
    noun: () => l10n.t('the share of each correction'),
    placeholder: 's',
    default: step,
    recorded: true,
  }),
  stepCut: amount('the same right before a cut', {
    noun: () => l10n.t('the share of a correction before a cut'),
    placeholder: 's',
    default: stepCut,
    recorded: true,
  }),
};

export const healingText = {
  data: list(
    fileOr(['self'], 'a file of data'),
    'text, JSONL or JSON with "instruction" and "output", "messages" or "text"; repeat it for more files;\n' +
      'or self: the original writes the text (the default)',
    { noun: () => l10n.t('the healing text'), repeated: true, placeholder: 'file', conflicts: ['calibration'] },
  ),
  tokens: whole(`tokens of text, drawn from all of it (default: ${tokens}; of a file of rows: all)`, {
    noun: () => l10n.t('tokens of the healing text'),
  }),
  length: whole(`tokens per row (default: ${length}; of a file of rows: all)`, {
    noun: () => l10n.t('the length of a row'),
    min: 2,
    why: 'the first token of a row is not scored',
  }),
  heldOut: rate('share of the rows that is not fitted and decides whether the healed weights are kept', {
    noun: () => l10n.t('rows held out'),
    placeholder: 'share',
    default: heldOut,
    recorded: true,
  }),
};
