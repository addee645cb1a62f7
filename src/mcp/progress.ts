/** Progress of the jobs that a call waits for, as the protocol has it. */
import type { DeskEntry, JobDesk } from '../agents/desk';
import type { ProgressInfo } from '../protocol/jobs';

/** A report of the protocol: `progress` of `total`, and the step in words. */
export interface Report {
  readonly progress: number;
  readonly total: number;
  readonly message: string;
}

/** Between two looks at a job. */
const EVERY_MS = 300;
/** A new step is told even if the share is not larger: reports must grow. */
const LEAST = 1e-4;

/**
 * The same desk, which tells how far a job is while a call waits for it.
 * @param tell gets reports that grow
 */
export function watchedDesk(desk: JobDesk, tell: (report: Report) => void): JobDesk {
  const reports = growing(tell);
  const during = async <T>(id: string | undefined, wait: Promise<T>): Promise<T> => {
    const timer = setInterval(() => {
      const progress = desk.all.find((job) => job.id === id)?.progress;
      if (progress) reports(progress);
    }, EVERY_MS);
    try {
      return await wait;
    } finally {
      clearInterval(timer);
    }
  };
  return {
    start(...given) {
      const started = desk.start(...given);
      return during(newest(desk)?.id, started);
    },
    begin(...given) {
      const begun = desk.begin(...given);
      return during(newest(desk)?.id, begun);
    },
    look: (id, ...rest) => during(id, desk.look(id, ...rest)),
    cancel: (id) => desk.cancel(id),
    get jobs() {
      return desk.jobs;
    },
    get all() {
      return desk.all;
    },
  };
}

/** What was just started: it is in the list at once. */
const newest = ({ all }: JobDesk): DeskEntry | undefined => all[0];

/** Phases of a job count in different units, so that a share can be smaller than the one before. */
function growing(tell: (report: Report) => void): (progress: ProgressInfo) => void {
  let last = -1;
  let step = '';
  return ({ label, done, total }) => {
    const share = total > 0 ? Math.min(1, done / total) : 0;
    if (last >= 1 || (share <= last && label === step)) return;
    const progress = Math.min(1, Math.max(share, last + LEAST));
    [last, step] = [progress, label];
    tell({ progress, total: 1, message: label });
  };
}
