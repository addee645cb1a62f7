/** The teacher of a run: which model it is, what is kept of it, and what the record says. */
import type { Model } from '../../model/model';
import { fullView } from '../../model/view';
import { matchingBlock } from './hidden-target';
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

/** What of the student decides how it is taught. */
export interface TaughtStudent {
  readonly model: Model;
  /** Blocks that it leaves out. */
  readonly removed: readonly number[];
  /** Its final norm and head are not trained. */
  readonly headFrozen: boolean;
}

/**
 * Opens the teacher. Without a loss on hidden states, which needs the teacher itself in every step, it is asked once.
 * @param path file of what it says, made if it is not there
 * @throws UserError when it cannot teach the student, or the file cannot be read or written
 */
export async function openTeacher(
  { model, weight, hiddenWeight = 0 }: TeacherSource,
  { model: student, removed, headFrozen }: TaughtStudent,
  path: string,
): Promise<Taught> {
  const view = fullView(model.architecture.layers.length);
  if (hiddenWeight === 0) {
    const teacher = await Teacher.open(model, view, { weight, student, headFrozen });
    return KeptTeacher.open(teacher, { model: student, headFrozen }, path);
  }
  const hidden = { weight: hiddenWeight, block: await matchingBlock(model, student, removed) };
  return Teacher.open(model, view, { weight, hidden, student, headFrozen });
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
