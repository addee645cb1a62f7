/** The jobs whose work can be cut. */
import { cutCurve } from './curve';
import type { CutJob } from './cut';
import { cutEval } from './eval';
import { cutExperts } from './experts';
import { cutHeal } from './heal';
import type { CutKind } from './part-record';
import { cutScore } from './score';
import { cutTasks } from './tasks';

export const CUT_JOBS: { readonly [K in CutKind]: CutJob<K> } = {
  score: cutScore,
  eval: cutEval,
  tasks: cutTasks,
  curve: cutCurve,
  experts: cutExperts,
  heal: cutHeal,
};

export const cutJob = <K extends CutKind>(kind: K): CutJob<K> => CUT_JOBS[kind];
