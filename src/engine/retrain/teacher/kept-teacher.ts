/**
 * A teacher that is asked once: what it says about a row is kept in a file, so that every later pass over the row costs no
 * forward pass of the teacher. Kept are its most likely words; the others count as one word (onnx/ops/kept-words.ts).
 */
import { LikelyHead } from '../../model/likely-words';
import type { TeacherPart, TeacherStates } from '../../model/head-loss';
import type { MicroBatch } from '../loop/batch';
import type { KeptWordsFile } from './kept-words';
import type { Taught, Teacher } from './teacher';

/** Words that are kept of each distribution. Those of a trained model are steep: the others have little to say. */
const KEPT_WORDS = 64;
/** All words of a vocabulary up to this size are kept: a small model's distributions are flat. */
const SMALL_VOCABULARY = 512;

export const keptWordsOf = ({ vocabulary }: { readonly vocabulary: number }): number =>
  vocabulary <= SMALL_VOCABULARY ? vocabulary : KEPT_WORDS;

export class KeptTeacher implements Taught {
  readonly part: TeacherPart;
  readonly hidden = undefined;
  private head: LikelyHead | undefined;

  /** @param file of the same number of words; it stays open */
  constructor(
    private readonly teacher: Teacher,
    private readonly file: KeptWordsFile,
    private readonly words: number,
  ) {
    this.part = { weight: teacher.part.weight, words };
  }

  /** What is known of the rows. The teacher reads those of which nothing is. @throws UserError when the disk is full */
  async states(micro: MicroBatch, rows: readonly ArrayLike<number>[]): Promise<TeacherStates> {
    const found = await Promise.all(micro.rows.map((row) => this.file.read(rows[row])));
    const missing = [...micro.rows.keys()].filter((place) => found[place] === undefined);
    if (missing.length > 0) {
      await this.ask(micro, rows, missing);
      for (const place of missing) found[place] = await this.file.read(rows[micro.rows[place]]);
    }
    const likely = {
      words: new Int32Array(micro.ids.length * this.words),
      shares: new Float32Array(micro.ids.length * this.words),
    };
    found.forEach((row, place) => {
      const at = place * micro.length * this.words;
      likely.words.set(row!.words, at);
      likely.shares.set(row!.shares, at);
    });
    return { likely, feeds: {} };
  }

  silent(): TeacherStates {
    return { feeds: {} };
  }

  lengthClass(length: number): number {
    return this.teacher.lengthClass(length);
  }

  async close(): Promise<void> {
    await this.head?.close();
    await this.teacher.close();
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
    this.head ??= await LikelyHead.open(this.teacher.model, this.words);
    const { hidden } = this.teacher.model.architecture;
    for (const [i, row] of asked.rows.entries()) {
      const own = states!.subarray(i * length * hidden, (i * length + rows[row].length) * hidden);
      await this.file.add(rows[row], await this.head.run(own));
    }
  }
}
