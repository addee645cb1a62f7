/** Limits of quality: as many blocks are removed as keep to them. */
import type { Limits } from '../../engine/iterate/goal';
import { amount, positive } from '../option';
import { l10n } from '../../l10n';

const LIMITS = { group: 'Limits' } as const;

export const maxKl = amount(
  'remove as many blocks as keep the mean KL divergence from the unpruned model below this, in nats',
  {
    noun: () => l10n.t('the limit of the divergence'),
    placeholder: 'nats',
  },
);

export const limits = {
  maxPpl: positive('stop before the perplexity exceeds this', {
    noun: () => l10n.t('the limit of the perplexity'),
    placeholder: 'ppl',
    ...LIMITS,
  }),
  maxKl: {
    ...maxKl,
    help: 'stop before the mean KL divergence from the unpruned model exceeds this, in nats',
    ...LIMITS,
  },
};

/** The limits that are given. */
export function limitsOf({ maxPpl, maxKl: kl }: { readonly maxPpl?: number; readonly maxKl?: number }): Limits {
  return { ...(maxPpl !== undefined && { ppl: maxPpl }), ...(kl !== undefined && { kl }) };
}
