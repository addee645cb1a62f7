/** Heals a model after blocks were left out, and writes the new weights. */
import type { HealResult } from '../../protocol/heal';
import type { OptionsFor } from '../kinds';
import type { JobContext, RunEnd } from '../run';

export function runHeal(_options: OptionsFor<'heal'>, _context: JobContext): Promise<RunEnd<HealResult>> {
  return Promise.reject(new Error('not ready'));
}
