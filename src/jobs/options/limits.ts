/** Limits of quality: as many blocks are removed as keep to them. */
import { defined } from '../../format/defined';
import type { Limits } from '../../engine/iterate/goal';
import { amount, positive, share } from '../option';
import { l10n } from '../../l10n';

const LIMITS = { group: 'Limits' } as const;

export const maxKl = amount(
  'remove as many blocks as keep the mean KL divergence from the original below this, in nats',
  {
    noun: () => l10n.t('the limit on KL divergence'),
    placeholder: 'nats',
  },
);

export const limits = {
  maxPpl: positive('stop before the perplexity exceeds this', {
    noun: () => l10n.t('the limit on perplexity'),
    placeholder: 'ppl',
    ...LIMITS,
  }),
  maxKl: {
    ...maxKl,
    help: 'stop before the mean KL divergence from the original exceeds this, in nats',
    ...LIMITS,
  },
  minAccuracy: share('stop before the average accuracy in the tasks falls below this share, such as 0.5', {
    noun: () => l10n.t('the limit of the accuracy'),
    placeholder: 'share',
    ...LIMITS,
  }),
  maxProbeLoss: amount(
    'stop before a probe that the original can do loses more than this share of its items, such as 0.1',
    {
      noun: () => l10n.t('the limit of what a probe loses'),
      placeholder: 'share',
      ...LIMITS,
    },
  ),
};

interface GivenLimits {
  readonly maxPpl?: number;
  readonly maxKl?: number;
  readonly minAccuracy?: number;
  readonly maxProbeLoss?: number;
}

/** The limits that are given. */
export const limitsOf = (given: GivenLimits): Limits => {
  const { maxPpl: ppl, maxKl: kl, minAccuracy: accuracy, maxProbeLoss: probeLoss } = given;
  return defined({ ppl, kl, accuracy, probeLoss });
};
