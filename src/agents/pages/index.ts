/** The result of every job that agents start, as a text for a language model. */
import type { JobKind, JobOutcome, Jobs } from '../../protocol/jobs';
import type { Piece } from '../answer';
import type { DeskJob } from '../desk';
import { draftPage } from './draft';
import { evalPage } from './eval';
import { expertsPage } from './experts';
import { exportPage } from './export';
import { frontierPage } from './frontier';
import { healPage, prunePage } from './prune';
import { samplesPage } from './samples';
import { scorePage } from './score';
import { tasksPage } from './tasks';
import { vocabularyPage } from './vocabulary';

/** The parts of an answer, from a finished job. Every number says its unit, text, precision and model. */
export type ResultPage<K extends JobKind> = (outcome: JobOutcome<K>, spec: Jobs[K]['spec']) => readonly Piece[];

const PAGES: { readonly [K in JobKind]?: ResultPage<K> } = {
  score: scorePage,
  prune: prunePage,
  heal: healPage,
  eval: evalPage,
  tasks: tasksPage,
  samples: samplesPage,
  frontier: frontierPage,
  experts: expertsPage,
  vocabulary: vocabularyPage,
  draft: draftPage,
  export: exportPage,
};

/** @throws Error for a job that no tool starts */
export function pageOf<K extends JobKind>({
  spec,
  outcome,
}: DeskJob<K> & { readonly outcome: JobOutcome<K> }): readonly Piece[] {
  const page: ResultPage<K> | undefined = PAGES[spec.kind];
  if (!page) throw new Error(`agents have no page of ${spec.kind}`);
  return page(outcome, spec as unknown as Jobs[K]['spec']);
}
