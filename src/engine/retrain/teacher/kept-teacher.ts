/**
 * A teacher that is asked once: what it says about a row is kept in a file, so that every later pass over the row costs no forward
 * pass of the teacher. Kept are the mean row and the entropy of each distribution where the head can learn from them, so that its
 * product is not made again either; else the last hidden states, from which norm and head make the distributions in every pass.
 */
import type { HeadLoss } from '../../model/head-loss';
import type { Model } from '../../model/model';
import { type TeacherPart, type TeacherStates, teachesByExpectation } from '../../model/teaching';
import type { MicroBatch } from '../loop/batch';
import { numbersOf } from './kept-coding';
import { type KeptRow, KeptRowsFile } from './kept-rows';
import type { Taught, Teacher } from './teacher';

/** Makes distributions of the teacher's states. */
type Head = Pick<HeadLoss, 'expected'>;

/** What a kept teacher knows of its student. */
export interface KeptStudent {
  readonly model: Pick<Model, 'architecture'>;
  /** Its final norm and head are not trained. */
  readonly headFrozen: boolean;
}

export class KeptTeacher implements Taught {
  readonly hidden = undefined;

  private constructor(
    private readonly teacher: Teacher,
    readonly part: TeacherPart,
    private readonly file: KeptRowsFile,
  ) {}

  /**
   * @param teacher is closed with this one
   * @param path of the file, made if it is not there
   * @throws UserError when the file cannot be read or written
   */
  static async open(teacher: Teacher, { model, headFrozen }: KeptStudent, path: string): Promise<KeptTeacher> {
    const { checkpoint, architecture } = teacher.model;
    const byExpectation = teachesByExpectation(model.architecture, teacher.part, headFrozen);
    const kind = byExpectation ? 'expected' : 'states';
    const from = { teacher: checkpoint.identity, kind, hidden: architecture.hidden } as const;
    try {
      const file = await KeptRowsFile.open(path, from);
      return new KeptTeacher(teacher, { ...teacher.part, byExpectation }, file);
    } catch (error) {
      await teacher.close();
      throw error;
    }
  }

  /** What is known of the rows. The teacher reads the others. @throws UserError when the disk is full */
  async states(micro: MicroBatch, ids: readonly ArrayLike<number>[], head: Head): Promise<TeacherStates> {
    const rows = micro.rows.map((row, place): KeptRow => {
      const start = place * micro.length;
      return { ids: ids[row], targets: micro.targets.subarray(start, start + ids[row].length) };
    });
    const found = await Promise.all(rows.map((row) => this.file.read(row)));
    const missing = [...rows.keys()].filter((place) => found[place] === undefined);
    if (missing.length > 0) {
      await this.ask(micro, rows, missing, head);
      // Also now as they were kept: a run that is resumed reads the same numbers.
      for (const place of missing) found[place] = await this.file.read(rows[place]);
    }
    const { hidden } = this.teacher.model.architecture;
    const states = new Float32Array(micro.ids.length * hidden);
    const entropy = new Float32Array(micro.ids.length);
    for (const [place, row] of rows.entries()) {
      const start = place * micro.length;
      const [own, others] = splitAt(found[place]!, row.ids.length * hidden);
      states.set(own, start * hidden);
      entropy.set(others, start);
    }
    const silent = this.silent();
    return this.part.byExpectation ? { ...silent, expected: { mean: states, entropy } } : { ...silent, states };
  }

  silent(): TeacherStates {
    return this.teacher.silent();
  }

  lengthClass(length: number): number {
    return this.teacher.lengthClass(length);
  }

  async close(): Promise<void> {
    await this.teacher.close();
    await this.file.close();
  }

  /** Asks the teacher about some rows of a micro-batch, and keeps what it says. */
  private async ask(
    { ids, length, targets, rows: indices }: MicroBatch,
    rows: readonly KeptRow[],
    places: readonly number[],
    head: Head,
  ): Promise<void> {
    const some = places.flatMap((place) => ids.slice(place * length, (place + 1) * length));
    const { states } = await this.teacher.states({ ids: some, targets, length, rows: places.map((p) => indices[p]) });
    const { hidden } = this.teacher.model.architecture;
    for (const [i, place] of places.entries()) {
      const row = rows[place];
      const own = states!.subarray(i * length * hidden, (i * length + row.ids.length) * hidden);
      // Row by row, so that what is kept of one does not depend on the others.
      const said = this.part.byExpectation ? numbersOf(await head.expected(own, row.targets)) : own;
      await this.file.add(row, said);
    }
  }
}

const splitAt = (x: Float32Array, at: number): [Float32Array, Float32Array] => [x.subarray(0, at), x.subarray(at)];
