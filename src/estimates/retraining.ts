/** The work of a retraining: its training, and the healing before it. */
import { healingTokens } from '../jobs/healing-tokens';
import { healsFirst } from '../jobs/heals-first';
import { healing } from './choosing';
import type { WorkOf } from './job';
import { isOwn, rowLength, training } from './training';
import type { Work } from './work';

export const retrain: WorkOf = (job) => {
  const { options, model } = job;
  const trained = training(job);
  if (trained === undefined || !healsFirst(options)) return trained;
  const tokens = healingTokens(options, rowLength(options, model.architecture));
  const healed = healing({ ...job, kind: 'heal', options: { tokens } });
  // A training on the original's own text has the writing of it in its work.
  return healed && [...(isOwn(options) ? healed.filter((each) => !isWriting(each)) : healed), ...trained];
};

const isWriting = (work: Work): boolean => work.kind === 'products' && work.work === 'write';
