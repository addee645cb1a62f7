/** What follows the end of a job, by its kind. Nothing else in the editor does something because a job has ended. */
import { wasStopped } from '../../engine/iterate/workspace';
import { FORMATS } from '../../engine/write/formats';
import type { JobKind, JobOutcome, JobSpec, ScoreSpec } from '../../protocol/jobs';
import type { JobEnded } from '../../sidecar/client';
import { subjectOf } from '../../state/subject';
import { textName } from '../ask/text-name';
import type { Coppice } from '../coppice';
import { showCheckpoint, showExport } from '../show-checkpoint';
import { showWarnings } from '../warnings';
import { did } from '../tour';

type SpecFor<K extends JobKind> = Extract<JobSpec, { readonly kind: K }>;

/** What a user sees who ran the job by a command, or ran it again. */
const SHOWN: { readonly [K in JobKind]?: (coppice: Coppice, spec: SpecFor<K>, outcome: JobOutcome<K>) => unknown } = {
  score: keepScores,
  prune: async (coppice, _, { result: { out } }) => {
    if (out === null) return;
    await showCheckpoint(coppice, out);
    await did('coppice.did.prune');
  },
  iterate: async (coppice, _, { result: { out } }) => {
    await showCheckpoint(coppice, out);
    await did('coppice.did.prune');
  },
  heal: async (coppice, _, { result: { out, patch } }) => {
    if (out !== null) await showCheckpoint(coppice, out);
    await did('coppice.did.prune');
    if (patch !== null) await coppice.library.rescan();
  },
  experts: (coppice, _, { result: { out } }) => (out === null ? undefined : showCheckpoint(coppice, out)),
  vocabulary: (coppice, _, { result: { written } }) =>
    written === null ? undefined : showCheckpoint(coppice, written),
  // Both models of a pair are models of their own.
  draft: ({ library }, _, { result: { out } }) => (out === null ? undefined : library.rescan()),
  merge: (coppice, _, { result: { out } }) => showCheckpoint(coppice, out),
  export: async (coppice, _, { result: { format, out } }) => {
    await (FORMATS[format].isCheckpoint ? showCheckpoint(coppice, out) : showExport(coppice, out));
    await did('coppice.did.export');
  },
};

/** Shows what a job has made, once it has ended. */
export async function showEnd<K extends JobKind>(
  coppice: Coppice,
  spec: JobSpec,
  outcome: JobOutcome<K>,
): Promise<void> {
  await SHOWN[spec.kind]?.(coppice, spec as never, outcome as never);
}

/** What the view shows of a job that an agent ran: scores colour the blocks, and a new checkpoint is listed. */
export async function showAgentsEnd(coppice: Coppice, spec: JobSpec, outcome: JobOutcome): Promise<void> {
  if (spec.kind === 'score') await keepScores(coppice, spec, outcome);
  else if ('out' in spec && spec.out !== undefined) coppice.library.rescanSoon();
}

/** What the view keeps of a job that has ended, whoever asked for it; also of one that failed. */
const KEPT: { readonly [K in JobKind]?: (coppice: Coppice, spec: SpecFor<K>, isDone: boolean) => void } = {
  // There is a new adapter or a stopped training.
  retrain: ({ library }) => library.rescanSoon(),
  // A training has a line of its own, which is found by its state on the disk.
  iterate: ({ journal }, spec, isDone) => {
    if (!isDone && wasStopped(spec.out)) journal.stop(spec);
  },
};

/** Keeps what every job that ends leaves: errors, warnings, records, and what can go on. */
export const followEnds = (coppice: Coppice): { dispose(): void } =>
  coppice.sidecar.onEnded((end: JobEnded) => {
    const { failed, journal, log, tree } = coppice;
    const { spec, outcome } = end;
    failed.ended(end);
    if (outcome) journal.forget(spec);
    KEPT[spec.kind]?.(coppice, spec as never, outcome !== undefined);
    showWarnings(log, end);
    tree.readRecords();
  });

/** Scores colour the blocks in the view. */
async function keepScores(coppice: Coppice, spec: ScoreSpec, { result, record }: JobOutcome<'score'>): Promise<void> {
  const { library, scores, plans } = coppice;
  const path = await library.resolve(spec.checkpoint);
  const subject = subjectOf(path, await library.load(path));
  const choice = subject ? plans.choice(subject) : 'hand';
  // Colours by another criterion than the plan's would contradict the plan. "Show Scores By…" shows them.
  const shows = choice === 'hand' || choice.criterion === result.criterion;
  const { calibration: file } = spec;
  scores.add(path, result, record, {
    file,
    ...(file !== undefined && { name: textName(coppice, file) }),
    shows,
  });
}
