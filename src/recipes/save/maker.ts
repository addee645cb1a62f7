/** Makes the steps of a recipe from runs: each run's options with links in place of what other steps give. */
import { basename } from 'node:path';
import { entries } from '../../engine/records/fields';
import type { JsonObject } from '../../format/json';
import { JOBS } from '../../jobs/definitions';
import type { AnyJob } from '../../jobs/define';
import type { Kind } from '../../jobs/kinds';
import { changePaths } from '../../jobs/option-paths';
import { productOptions } from '../outputs';
import { Count, type Draft, NamedBlocks, OuterPath, OutputOf, Reference } from './draft';
import type { SaveRequest } from './request';
import { isOnModel, sameParts, type StepRun, wayInto, writerOf } from './runs';
import { chooses, type SavedSelection, selectionOf } from './selection';
import { gaveWords } from './words';

/** A step that is not text yet. */
export interface DraftStep {
  readonly name: string;
  readonly job: Kind;
  readonly options: Readonly<Record<string, Draft>>;
  /** What the runs wrote, by option. */
  writes: Readonly<Record<string, string>>;
  /** Lines about what it gave, and about what it lacks. */
  comments: readonly string[];
}

export class StepMaker {
  readonly steps: DraftStep[] = [];
  private readonly made = new Map<StepRun, DraftStep>();
  private readonly byKey = new Map<string, DraftStep>();
  private readonly removals = new Map<string, Draft>();
  /** What stands for blocks that a step chooses and writes no model without. */
  private readonly unwritten = new Set<Draft>();

  /**
   * @param runs all that are known, oldest first
   * @param chosen those that become steps
   */
  constructor(
    private readonly request: SaveRequest,
    private readonly runs: readonly StepRun[],
    private readonly chosen: readonly StepRun[],
  ) {}

  /** The step that repeats a run; made with all that it needs, unless another run was the same. */
  stepOf(run: StepRun): DraftStep {
    const there = this.made.get(run);
    if (there) return there;
    const lost: string[] = [];
    const options = this.optionsOf(run, lost);
    const key = JSON.stringify([run.kind, options]);
    const comments = [...commentsOn(run), ...lost];
    const same = this.byKey.get(key);
    if (same) {
      this.made.set(run, same);
      same.comments = comments; // the newest numbers
      same.writes = { ...same.writes, ...run.writes };
      return same;
    }
    const step = this.add(run.kind, options, comments, isBefore(run, this.request) ? '_before' : '', run.writes);
    this.made.set(run, step);
    this.byKey.set(key, step);
    return step;
  }

  /** Ids of the runs that are steps. */
  get ids(): string[] {
    return [...this.made.keys()].map(({ id }) => id);
  }

  /** What stands for blocks and modules that are left out. */
  removal(parts: readonly (number | string)[]): Draft {
    const key = parts.toSorted().join();
    let found = this.removals.get(key);
    if (found === undefined) this.removals.set(key, (found = this.newRemoval(parts)));
    return found;
  }

  /** Makes a step of a plan, unless there is one. @param blocks whole blocks */
  planned(blocks: readonly number[]): void {
    const found = this.removal(blocks);
    const isUsed = this.steps.some(({ options }) => Object.values(options).includes(found));
    const isNamed = found instanceof NamedBlocks;
    if (isUsed || !(isNamed || this.unwritten.has(found))) return;
    const selection = selectionOf(this.request, this.runs, blocks);
    if (this.request.model.quantized) {
      const words = [...(isNamed ? [selection.words] : []), 'the weights keep their types'];
      this.add('export', { remove: found, format: 'gguf' }, words);
    } else this.add('prune', this.selected(selection, blocks), [selection.words]);
  }

  private add(
    job: Kind,
    options: DraftStep['options'],
    comments: string[],
    end = '',
    writes: DraftStep['writes'] = {},
  ): DraftStep {
    const base = `${JOBS[job].step ?? job}${end}`;
    let name = base;
    for (let n = 2; this.steps.some((step) => step.name === name); n++) name = `${base}_${n}`;
    const step = { name, job, options, comments, writes };
    this.steps.push(step);
    return step;
  }

  private newRemoval(parts: readonly (number | string)[]): Draft {
    const blocks = parts.filter((part) => typeof part === 'number');
    if (blocks.length < parts.length) return new NamedBlocks(parts);
    const written = this.chosen.filter(
      (run) => run.kind === 'prune' && isOnModel(run, this.request.model.identity) && sameParts(run.removed, parts),
    );
    const plain = written.find(({ options }) => !options.heal && !options.rounds) ?? written[0];
    if (plain) return new Reference(`\${steps.${this.stepOf(plain).name}.removed}`);
    const selection = selectionOf(this.request, this.runs, blocks);
    if (!selection.scores) return new NamedBlocks(parts);
    const words = [`${selection.words}; then ${blocks.join(', ')}`];
    // Written in float32, a quantized model is of no use.
    const { quantized } = this.request.model;
    const { name } = this.add(
      'prune',
      { ...this.selected(selection, blocks), ...(quantized && { dryRun: true }) },
      words,
    );
    const found = new Reference(`\${steps.${name}.removed}`);
    if (quantized) this.unwritten.add(found);
    return found;
  }

  /** Options of `prune` that choose the blocks. */
  private selected({ scores }: SavedSelection, blocks: readonly number[]): Record<string, Draft> {
    if (!scores) return { blocks: new NamedBlocks(blocks) };
    const { run, count, ratio, keepEnds, keep } = scores;
    return {
      scores: new Reference(`\${steps.${this.stepOf(run).name}}`),
      ...(ratio === undefined ? { count: new Count(count) } : { ratio }),
      ...(!keepEnds && { keepEnds }),
      ...(keep.length > 0 && { keep }),
    };
  }

  private optionsOf(run: StepRun, lost: string[]): Record<string, Draft> {
    const job: AnyJob = JOBS[run.kind];
    const found: Record<string, Draft> = {};
    for (const [name, value] of Object.entries(run.options)) {
      const { default: usual, writes, byHand, passing } = job.options[name];
      if (writes || byHand || passing || isUsual(value, usual)) continue;
      const draft = this.optionOf(run, name, value, lost);
      if (draft !== undefined) found[name] = draft;
    }
    const { out } = run.options;
    if (run.kind === 'export' && found.format === undefined && /\.gguf$/i.test(String(out))) found.format = 'gguf';
    const all = { ...found, ...this.blocksOf(run, lost), ...this.reference(run, lost) };
    const order = Object.keys(job.options);
    return Object.fromEntries(Object.entries(all).sort(([a], [b]) => order.indexOf(a) - order.indexOf(b)));
  }

  private optionOf(run: StepRun, name: string, value: unknown, lost: string[]): Draft | undefined {
    const { model } = this.request;
    switch (name) {
      case 'blocks':
        return undefined; // blocksOf
      case 'remove':
        return this.removal(entries(value));
      case 'scores':
        return this.scoresOf(run, String(value), lost);
      case 'checkpoint':
        if (value === model.path || isOnModel(run, model.identity)) return undefined;
        break;
      case 'checkpoints':
        if (Array.isArray(value) && value.length === 1 && value[0] === model.path) return undefined;
        break;
      case 'columns':
        return this.columnsOf(run, value);
    }
    const job: AnyJob = JOBS[run.kind];
    return changePaths(job.options[name].kind, value, (path) => this.path(path, name, run)) as Draft;
  }

  private columnsOf(run: StepRun, value: unknown): Draft {
    const columns = changePaths({ kind: 'models' }, value, (path) => this.path(path, 'checkpoint', run));
    return (columns as JsonObject[]).map(({ remove, ...column }): Draft => {
      const parts = entries(remove);
      return { ...(column as Record<string, Draft>), ...(parts.length > 0 && { remove: this.removal(parts) }) };
    });
  }

  /** Blocks that the editor named for `prune`, chosen as they were there. */
  private blocksOf(run: StepRun, lost: string[]): Record<string, Draft> {
    const { blocks } = run.options;
    if (run.kind !== 'prune' || blocks === undefined) return {};
    const list = entries(blocks).map(Number);
    const selection = selectionOf(this.request, this.runs, list);
    lost.push(`the blocks were ${selection.words}`);
    return this.selected(selection, list);
  }

  /** The unpruned model that an evaluation found by itself, because it lay beside the other. */
  private reference(run: StepRun, lost: string[]): Record<string, Draft> {
    const { model } = this.request;
    const against = run.record.inputs.find(({ role }) => role === 'against');
    if (!against || run.options.against !== undefined || isOnModel(run, model.identity)) return {};
    if (against.identity === model.identity) return { against: new Reference('${model}') };
    lost.push(`it was compared with ${against.name}, which lay beside it: name it by "against"`);
    return {};
  }

  /** The scores of a run: those of a step, if they choose the same blocks. */
  private scoresOf(run: StepRun, path: string, lost: string[]): Draft {
    const score = this.runs.find(({ file, kind }) => file === path && JOBS[kind].givesScores);
    if (score) return new Reference(`\${steps.${this.stepOf(score).name}}`);
    const { keepEnds, keep } = run.options;
    const kept = { keepEnds: keepEnds !== false, keep: entries(keep).map(Number) };
    const same = this.runs.findLast(
      (other) =>
        JOBS[other.kind].givesScores &&
        other.options.criterion === run.record.settings.criterion &&
        other.record.started < run.record.started &&
        chooses(other, this.request.model, run.removed.map(Number), kept),
    );
    if (same) return new Reference(`\${steps.${this.stepOf(same).name}}`);
    lost.push(`no run of ${basename(path)} is known: the file itself is read`);
    return new OuterPath(path, 'scores');
  }

  /** A path that a run read: of the model, of what another step writes, or of a file of the user. */
  private path(path: string, option: string, run: StepRun): Draft {
    if (path === this.request.model.path) return new Reference('${model}');
    const writer = writerOf(path, this.runs, run.record.started);
    if (!writer) return new OuterPath(path, option);
    const step = this.stepOf(writer);
    const [name, out] = Object.entries(writer.writes).find(([, each]) => wayInto(each, path) !== undefined)!;
    return new OutputOf(step, name, wayInto(out, path)!);
  }
}

/** Whether the option has the value that it has without being given. */
const isUsual = (value: unknown, usual: unknown): boolean =>
  value === undefined ||
  (Array.isArray(value) && value.length === 0) ||
  JSON.stringify(value) === JSON.stringify(usual);

/** Whether the run measured the whole model, for comparison with what became of it. */
function isBefore({ kind, record, removed, options }: StepRun, { model }: SaveRequest): boolean {
  const isWhole = removed.length === 0 && [options.heal, options.adapter, options.width].every((each) => !each);
  return (
    JOBS[kind].measures === true && isWhole && isOnModel({ record } as StepRun, model.identity) && !options.columns
  );
}

function commentsOn({ record, digest, changed = [], kind, removed, writes }: StepRun): string[] {
  const day = `${record.started.slice(0, 10)} ${record.started.slice(11, 16)} UTC`;
  const gone = kind === 'prune' && removed.length > 0 ? `without ${removed.join(', ')}; ` : '';
  const gave = gaveWords(digest);
  const out = productOptions(kind).flatMap((name) => (writes[name] === undefined ? [] : [basename(writes[name])]));
  return [
    `${day}: ${gone}${gave === '' ? 'done' : gave}`,
    ...(out.length > 0 ? [`written as ${out.join(' and ')}; "${outOption(kind)}" names another place`] : []),
    ...(record.notes ?? []),
    ...changed.map((each) => `since then: ${each}`),
  ];
}

const outOption = (kind: Kind): string => productOptions(kind)[0] ?? 'out';
