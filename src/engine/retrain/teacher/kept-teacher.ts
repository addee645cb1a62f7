/**
 * A teacher that is asked once: its last hidden states over a row are kept in a file, so that every later pass over the row costs
 * no forward pass of the teacher. Norm and head make its distributions of them, as of states that were just computed.
 */
import type { TeacherPart, TeacherStates } from '../../model/head-loss';
import type { MicroBatch } from '../loop/batch';
import type { KeptStatesFile } from './kept-states';
import type { Taught, Teacher } from './teacher';

export class KeptTeacher implements Taught {
  readonly part: TeacherPart;
  readonly hidden = undefined;

  /** @param file for states of the teacher's width; it stays open */
  constructor(
    private readonly teacher: Teacher,
    private readonly file: KeptStatesFile,
  ) {
    this.part = teacher.part;
  }

  /** What is known of the rows. The teacher reads those of which nothing is. @throws UserError when the disk is full */
  async states(micro: MicroBatch, rows: readonly ArrayLike<number>[]): Promise<TeacherStates> {
    const found = await Promise.all(micro.rows.map((row) => this.file.read(rows[row])));
    const missing = [...micro.rows.keys()].filter((place) => found[place] === undefined);
    if (missing.length > 0) {
      await this.ask(micro, rows, missing);
      // Also now as they were kept: a run that is resumed reads the same numbers.
      for (const place of missing) found[place] = await this.file.read(rows[micro.rows[place]]);
    }
    const { hidden } = this.teacher.model.architecture;
    const states = new Float32Array(micro.ids.length * hidden);
    found.forEach((row, place) => states.set(row!, place * micro.length * hidden));
    return { ...this.silent(), states };
  }

  silent(): TeacherStates {
    return this.teacher.silent();
  }

  lengthClass(length: number): number {
    return this.teacher.lengthClass(length);
  }

  close(): Promise<void> {
    return this.teacher.close();
  }

  /** Asks the teacher about some rows of a micro-batch, and keeps what it says. */
  private async ask(
    { ids, length, rows: indices, targets }: MicroBatch,
    rows: readonly ArrayLike<number>[],
    places: readonly number[],
  ): Promise<void> {
    const some = places.flatMap((place) => ids.slice(place * length, (place + 1) * length));
    const asked = { ids: some, targets, length, rows: places.map((place) => indices[place]) };
    const { states } = await this.teacher.states(asked);
    const { hidden } = this.teacher.model.architecture;
    for (const [i, row] of asked.rows.entries()) {
      await this.file.add(rows[row], states!.subarray(i * length * hidden, (i * length + rows[row].length) * hidden));
    }
  }
}
