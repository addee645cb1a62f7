/** How the work of the jobs that can be cut is shared out: their rows and candidates, of each of their models. */
import { type Architecture, withoutLayers } from '../engine/checkpoint/architecture';
import { parametersOf } from '../engine/checkpoint/parameters';
import { CRITERIA, type Criterion, criterionInfo, criterionWork } from '../engine/importance/criteria';
import { CUT_WORK, type CutFrame, type CutWork, rowWork } from '../engine/importance/cut-work';
import { expertWork } from '../engine/importance/experts/cut-work';
import { endBlocks } from '../engine/importance/select';
import { fullView, stepsOf } from '../engine/model/view';
import type { CuttableWork } from '../engine/parts/split';
import type { JsonObject } from '../format/json';
import { calibrationRows, measuredRows, numberIn, questionRows } from '../jobs/amounts';
import type { CutKind } from '../jobs/parts/part-record';
import { columnsIn, type Models } from './models';
import type { SizedModel, Use } from './sweep-needs';

/** A job's work on a model. */
export interface Load {
  readonly cut: CuttableWork;
  readonly length: number;
  /** Models in one process whose distributions are compared. */
  readonly models: number;
  readonly effort: Use['effort'];
}

export function loadOf(kind: CutKind, options: JsonObject, { architecture }: SizedModel): Load | undefined {
  const blocks = architecture.layers.length;
  const plain = { models: 1, effort: 'products' } as const;
  if (kind === 'score') {
    const criterion = CRITERIA.find((name) => name === options.criterion) ?? 'ppl';
    const { rows, length } = calibrationRows(options, architecture.context);
    const steps = stepsOf(fullView(blocks), options.granularity === 'module');
    const cut = cutOf(criterion, architecture, { steps, rows, length });
    const { effort } = criterionInfo(criterion);
    return { cut, length, models: criterion === 'kl' ? 2 : 1, effort: effort === 'none' ? 'reading' : effort };
  }
  if (kind === 'experts') {
    const rows = calibrationRows(options, architecture.context);
    return { ...plain, cut: expertWork(architecture, rows, blocks), length: rows.length };
  }
  const asks = kind === 'tasks' || options.measure === 'tasks';
  const found = asks ? questionRows(options) : measuredRows(options, architecture.context);
  if (found === undefined) return undefined;
  const rows = asks ? { ...found, rows: Math.max(1, Math.round(found.rows)) } : found;
  const compared = options.measure === 'kl' || options.maxKl !== undefined || options.against !== undefined;
  const models = !asks && compared ? 2 : 1;
  const passes = models * (kind === 'curve' ? countIn(options, blocks) + 1 : 1);
  return { ...plain, cut: rowWork(architecture, rows, passes * blocks, passes), length: rows.length, models };
}

/** Points of a curve besides the whole model. */
function countIn(options: JsonObject, blocks: number): number {
  const ends = options.keepEnds === false ? 0 : endBlocks(blocks).length;
  return Math.min(numberIn(options, 'most') ?? blocks - ends, blocks - 1);
}

/** Of a criterion whose cut is not known here, as if it were cut by rows. */
function cutOf(criterion: Criterion, architecture: Architecture, frame: CutFrame): CuttableWork {
  const known: Partial<Record<Criterion, CutWork>> = CUT_WORK;
  return (
    known[criterion]?.(architecture, frame) ?? rowWork(architecture, frame, criterionWork(architecture, criterion), 0)
  );
}

/** The models of a job, without what it leaves out; undefined if one cannot be read from here. */
export function cutModels(kind: CutKind, options: JsonObject, known: Models): SizedModel[] | undefined {
  const columns = columnsIn(options.columns).map(({ checkpoint }) => checkpoint);
  const several: readonly unknown[] = Array.isArray(options.checkpoints) ? options.checkpoints : columns;
  const models: SizedModel[] = [];
  for (const path of kind === 'tasks' ? several : [options.checkpoint]) {
    const facts = known.at(path);
    if (facts === undefined) return undefined;
    const { architecture, bytes } = facts;
    models.push({ architecture, bytesPerWeight: bytes / parametersOf(architecture) });
  }
  const last = models.pop();
  if (last === undefined) return undefined;
  const { architecture } = last;
  return [
    ...models,
    { ...last, architecture: withoutLayers(architecture, known.blocks(options.remove, architecture)) },
  ];
}
