/** The teacher of a run: which model it is, what is kept of it, and what the record says. */
import type { Model } from '../../model/model';
import { fullView } from '../../model/view';
import { matchingBlock } from './hidden-target';
import { KeptStatesFile } from './kept-states';
import { KeptTeacher } from './kept-teacher';
import { type Taught, Teacher } from './teacher';

/** The teacher: an open model, usually the unpruned student itself. */
export interface TeacherSource {
  readonly model: Model;
  /** Its share of the loss, above 0 and at most 1. */
  readonly weight: number;
  /** Factor of the loss on hidden states, which is added; off when undefined or 0. */
  readonly hiddenWeight?: number;
}

/**
 * Opens the file of what the teacher says, once for the run. A loss on hidden states needs the teacher itself in every step.
 * @returns undefined if nothing is kept
 * @throws UserError when the file cannot be read or written
 */
export async function keptOfTeacher(
  teacher: TeacherSource | undefined,
  path: string,
): Promise<KeptStatesFile | undefined> {
  if (!teacher || (teacher.hiddenWeight ?? 0) > 0) return undefined;
  const { architecture, checkpoint } = teacher.model;
  return KeptStatesFile.open(path, { teacher: checkpoint.identity, hidden: architecture.hidden });
}

/** What of the student decides how it is taught. */
export interface TaughtStudent {
  readonly model: Model;
  /** Blocks that it leaves out. */
  readonly removed: readonly number[];
  /** Its final norm and head are not trained. */
  readonly headFrozen: boolean;
}

/** @throws UserError when it cannot teach the student */
export async function openTeacher(
  { model, weight, hiddenWeight = 0 }: TeacherSource,
  { model: student, removed, headFrozen }: TaughtStudent,
  kept: KeptStatesFile | undefined,
): Promise<Taught> {
  const hidden =
    hiddenWeight > 0 ? { weight: hiddenWeight, block: await matchingBlock(model, student, removed) } : undefined;
  const view = fullView(model.architecture.layers.length);
  const teacher = await Teacher.open(model, view, { weight, hidden, student, headFrozen });
  return kept ? new KeptTeacher(teacher, kept) : teacher;
}

/** The teacher in the settings of a run. */
export function teacherFacts(teacher: TeacherSource | undefined): object {
  if (!teacher) return {};
  const { model, weight, hiddenWeight = 0 } = teacher;
  return {
    teacher: model.checkpoint.identity,
    teacherWeight: weight,
    ...(hiddenWeight > 0 && { hiddenWeight }),
  };
}
