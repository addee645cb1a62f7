/** The work of comparing sizes: the blocks are ranked and the models healed once, and each file is written and measured. */
import { FRONTIER_TYPES } from '../engine/evaluate/frontier';
import { usualCounts } from '../engine/evaluate/versus-methods';
import { mostForSize } from '../engine/importance/count';
import { measuredRows } from '../jobs/amounts';
import { healing, room, scoring } from './choosing';
import type { EstimatedJob, WorkOf } from './job';
import { someBlocks } from './models';
import { evaluating, type Work } from './work';
import { exported } from './writing';

export const frontier: WorkOf = (job) => {
  const { options, model } = job;
  const { architecture } = model;
  const rows = measuredRows(options, architecture.context);
  if (rows === undefined) return undefined;
  const types = Array.isArray(options.types) ? Math.max(1, options.types.length) : FRONTIER_TYPES.length;
  const counts = countsOf(job);
  const most = Math.max(...counts);
  const models = counts.map((count) => ({ ...job, removed: someBlocks(architecture, count) }));
  const healed = options.heal === false ? [] : models.filter(({ removed }) => removed.length > 0).map(healing);
  if (healed.some((each) => each === undefined)) return undefined;
  const ways = options.plain === true ? 2 : 1;
  const each = models.flatMap((one): Work[] => {
    const files = types * (one.removed.length > 0 ? ways : 1);
    const repeated = { ...rows, rows: files * rows.rows };
    return [...Array.from({ length: files }, () => exported(one)), evaluating(architecture, repeated, one.removed)];
  });
  return [
    ...(most > 0 && options.scores === undefined ? scoring(job, most) : []),
    evaluating(architecture, rows),
    ...healed.flatMap((work) => work ?? []),
    ...each,
  ];
};

/** Numbers of removed blocks. For a size they are not known before the blocks are: about two, up to a third of the blocks. */
function countsOf(job: EstimatedJob): number[] {
  const { counts, fit } = job.options;
  const named = Array.isArray(counts) ? counts.filter((each): each is number => typeof each === 'number') : [];
  if (named.length > 0) return named;
  const blocks = job.model.architecture.layers.length;
  if (fit === undefined) return [0, ...usualCounts(blocks, room(job))];
  const most = Math.min(room(job), mostForSize(blocks));
  return [0, ...(most === 0 ? [] : [most])];
}
