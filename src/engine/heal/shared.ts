/**
 * A healing that several processes share. Each takes its rows through the blocks. At a site it leaves the sums of its groups of
 * rows in a folder that all see; the first part adds those of all groups in their order, solves, and publishes the new weights;
 * all go on with these. So there is one barrier for each site, and what is published stays: a part that starts again passes the
 * sites that are done with their weights, without sums.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { isObject, parseNumbers, stringifyJson } from '../../format/json';
import { numberRanges } from '../../format/ranges';
import type { Checkpoint } from '../checkpoint/types';
import { throwIfCancelled } from '../errors';
import { namesIn } from '../files/names';
import { writeOnce } from '../files/once';
import { readSmallFile } from '../files/regular-file';
import type { Part } from '../parts/part';
import { rangesOf } from '../parts/ranges';
import type { Work } from '../progress';
import { cannotWrite } from '../system-failure';
import { unusable } from '../weights/float-file';
import type { KeyedPatch, PatchSink } from '../weights/patches';
import type { Agreement, Correction, RowNumbers } from './agreement';
import type { NewWeight } from './corrections';
import { readCorrection, writeCorrection } from './correction-file';
import { groupCosts } from './groups';
import { type Collector, chooseIn, type SiteShape, type SiteSums, TotalSums } from './site-sums';
import type { RowRun } from './streams';
import { addSums, FileCollector } from './sums-file';

/** Where the processes of a healing meet. */
export interface Meeting {
  /** That all see. */
  readonly folder: string;
  /** Of model, options and rows: other files are not of this healing. */
  readonly digest: string;
  readonly part: Part;
  readonly checkpoint: Checkpoint;
  /**
   * Called again and again while parts are waited for.
   * @throws UserError when one of them has failed, so that waiting is in vain
   */
  readonly look: (parts: readonly number[]) => Promise<void>;
  /** Waits. Meanwhile another part in this process may compute. */
  readonly rest: <T>(wait: () => Promise<T>) => Promise<T>;
  readonly signal?: AbortSignal;
}

/** Between two looks at the folder. */
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2000;
/** Numbers of rows as text: 40 MB are the sums of 100 runs of the widest models. */
const MOST_TEXT_BYTES = 2 ** 28;
/** The part that adds and solves. Where it is lost, its next start goes on. */
const SOLVER = 1;

export class SharedAgreement implements Agreement {
  private readonly found: { readonly step: string; readonly patches: readonly KeyedPatch[] }[] = [];
  private all: readonly KeyedPatch[] | undefined;
  /** The part that has each group. */
  private readonly owners: readonly number[];

  /** @param runs of all parts @param work tells what is waited for */
  constructor(
    private readonly meeting: Meeting,
    private readonly runs: readonly RowRun[],
    private readonly sink: PatchSink,
    private readonly work: Work,
  ) {
    const costs = groupCosts(
      runs,
      runs.map(({ group }) => group),
    );
    const ranges = rangesOf(costs, meeting.part.of);
    this.owners = costs.map((_, group) => 1 + ranges.findIndex(({ from, to }) => group >= from && group < to));
  }

  async correction(
    step: string,
    shape: SiteShape,
    pass: (collector: Collector | undefined) => Promise<void>,
    solve: (sums: SiteSums) => Promise<Correction>,
  ): Promise<Correction> {
    const name = this.name(step, 'safetensors');
    if ((await this.names()).has(name)) {
      await pass(undefined);
    } else {
      await this.makeFolder();
      await pass(new FileCollector(this.runs, shape, (group) => this.sumsPath(step, group), this.note(step)));
      const isSolver = this.meeting.part.number === SOLVER;
      await this.wait(step, isSolver ? this.sumsOf(step) : new Map([[name, SOLVER]]), name);
      if (isSolver) await this.solve(step, shape, solve);
    }
    const path = this.path(name);
    const { correction, patches } = await readCorrection(path, this.meeting.checkpoint, this.note(step), shape);
    this.found.push({ step, patches });
    return correction;
  }

  /** Adds, solves and publishes, unless that is done; then the sums are of no more use. */
  private async solve(step: string, shape: SiteShape, solve: (sums: SiteSums) => Promise<Correction>): Promise<void> {
    const name = this.name(step, 'safetensors');
    if (!(await this.names()).has(name)) {
      this.work.step(`solving ${step}`);
      const total = new TotalSums(shape, chooseIn(this.runs));
      for (const name of this.sumsOf(step).keys()) await addSums(total, this.path(name), shape, this.note(step));
      await writeCorrection(this.path(name), this.meeting.checkpoint, await solve(total.all()), this.note(step), shape);
    }
    for (const name of this.sumsOf(step).keys()) await rm(this.path(name), { force: true });
  }

  async keep(changed: readonly NewWeight[]): Promise<void> {
    for (const { key, values } of changed) await this.sink.add(key, values);
  }

  async everyone<T extends RowNumbers>(step: string, own: T): Promise<readonly T[]> {
    const { part } = this.meeting;
    await this.makeFolder();
    const text = stringifyJson({ ...this.note(step), part: part.number, numbers: own });
    await writeOnce(this.path(this.numbersName(step, part.number)), (file) => file.handle.writeFile(text));
    const all = this.numbersOf(step);
    await this.wait(step, all);
    return this.readNumbers(step, all);
  }

  async said<T extends RowNumbers>(step: string): Promise<readonly T[] | undefined> {
    // The first part makes the model, for which it needs the weights as well.
    if (this.meeting.part.number === SOLVER) return undefined;
    const all = this.numbersOf(step);
    const names = await this.names();
    return [...all.keys()].every((name) => names.has(name)) ? this.readNumbers(step, all) : undefined;
  }

  async patches(): Promise<readonly KeyedPatch[]> {
    return (this.all ??= [...this.found.flatMap(({ patches }) => patches), ...(await this.sink.patches())]);
  }

  private async readNumbers<T extends RowNumbers>(step: string, all: ReadonlyMap<string, number>): Promise<T[]> {
    const numbers: T[] = [];
    for (const [name, part] of all) {
      const path = this.path(name);
      const said = jsonIn((await readSmallFile(path, MOST_TEXT_BYTES)).toString('utf8'));
      const isOurs = isObject(said) && said.digest === this.meeting.digest && said.step === step && said.part === part;
      if (!isOurs || !isObject(said.numbers)) throw unusable(path, `it has no numbers of part ${part} at ${step}`);
      numbers.push(said.numbers as T);
    }
    return numbers;
  }

  /** Until all files are there, or the one for which they are needed. */
  private wait(step: string, files: ReadonlyMap<string, number>, orElse?: string): Promise<void> {
    const { look, rest, signal } = this.meeting;
    return rest(async () => {
      for (let ms = FIRST_PAUSE_MS; ; ms = Math.min(1.5 * ms, LONGEST_PAUSE_MS)) {
        throwIfCancelled(signal);
        const names = await this.names();
        const isThere = orElse !== undefined && names.has(orElse);
        const missing = [...new Set([...files].filter(([name]) => !names.has(name)).map(([, part]) => part))];
        if (isThere || missing.length === 0) {
          this.work.step(step);
          return;
        }
        const parts = missing.sort((a, b) => a - b);
        this.work.step(`${step}, waiting for ${parts.length === 1 ? 'part' : 'parts'} ${numberRanges(parts)}`);
        this.work.advance(0);
        await look(parts);
        await pause(ms, undefined, { signal }).catch(() => undefined);
      }
    });
  }

  private sumsOf(step: string): Map<string, number> {
    const summed = [...new Set(this.runs.filter(({ use }) => use !== 'none').map(({ group }) => group))];
    return new Map(summed.map((group) => [this.sumsName(step, group), this.owners[group]]));
  }

  private numbersOf(step: string): Map<string, number> {
    const parts = Array.from({ length: this.meeting.part.of }, (_, i) => i + 1);
    return new Map(parts.map((part) => [this.numbersName(step, part), part]));
  }

  private note(step: string): { readonly digest: string; readonly step: string } {
    return { digest: this.meeting.digest, step };
  }

  private name(step: string, end: string): string {
    return `${step}.${this.meeting.digest.slice(0, 12)}.${end}`;
  }

  private readonly sumsName = (step: string, group: number): string => this.name(step, `sums-${group}.safetensors`);
  private readonly sumsPath = (step: string, group: number): string => this.path(this.sumsName(step, group));
  private readonly numbersName = (step: string, part: number): string => this.name(step, `part-${part}.json`);

  private path(name: string): string {
    return join(this.meeting.folder, name);
  }

  private async names(): Promise<ReadonlySet<string>> {
    return new Set(await namesIn(this.meeting.folder));
  }

  private async makeFolder(): Promise<void> {
    const { folder } = this.meeting;
    await mkdir(folder, { recursive: true }).catch((error: unknown) => {
      throw cannotWrite(folder, error);
    });
  }
}

function jsonIn(text: string): unknown {
  try {
    return parseNumbers(text);
  } catch {
    return undefined;
  }
}
