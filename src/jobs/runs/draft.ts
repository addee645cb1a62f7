/** Forecasts what drafts gain. */
import type { DraftResult } from '../results/draft';
import type { OptionsFor } from '../kinds';
import type { JobContext, RunEnd } from '../run';

export function runDraft(_options: OptionsFor<'draft'>, _context: JobContext): Promise<RunEnd<DraftResult>> {
  return Promise.reject(new Error('in the making'));
}
