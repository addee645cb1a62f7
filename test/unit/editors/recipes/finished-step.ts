/** A step of a recipe that has ended, as its state keeps it. */
import type { FinishedStep } from '../../../../src/recipes/types';

export const finished = (name: string, job: 'eval' | 'prune'): FinishedStep => ({
  ...{ name, job, key: 'k', run: 'r', options: {}, outputs: [], result: '/r.json', resultSha256: '', record: null },
  ...{ device: 'cpu', notes: [], warnings: [], coppice: '1', started: '2026-01-01T00:00:00Z', seconds: 3.2 },
});
