/** All jobs. Add a new one here, to `runs/index.ts` and to the command line's `program.ts`. */
import { bench } from './bench';
import { curve } from './curve';
import { draft } from './draft';
import { evaluate } from './eval';
import { experts } from './experts';
import { exportJob } from './export';
import { frontier } from './frontier';
import { generate } from './generate';
import { grid } from './grid';
import { heal } from './heal';
import { iterate } from './iterate';
import { merge } from './merge';
import { prune } from './prune';
import { retrain } from './retrain';
import { samples } from './samples';
import { score } from './score';
import { speeds } from './speeds';
import { tasks } from './tasks';
import { verify } from './verify';
import { versus } from './versus';
import { vocabulary } from './vocabulary';
import { width } from './width';

export const JOBS = {
  score,
  curve,
  prune,
  width,
  experts,
  vocabulary,
  iterate,
  heal,
  retrain,
  merge,
  export: exportJob,
  verify,
  eval: evaluate,
  generate,
  bench,
  grid,
  speeds,
  draft,
  samples,
  tasks,
  versus,
  frontier,
};

/** Whether there is such a job: records of other versions, and of commands that are no jobs, name other kinds. */
export const isKind = (kind: string): kind is keyof typeof JOBS => Object.hasOwn(JOBS, kind);
