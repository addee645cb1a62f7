/**
 * Takes the result of a hand-over back: checks it, compares it with the model that was handed over on the rows that were held
 * out, and writes it as `retrain` writes what it trained itself, with a record of the same kind.
 */
import { join, resolve } from 'node:path';
import { requireArchitecture } from '../engine/checkpoint/open';
import type { WeightDtype } from '../engine/formats/dtype';
import { peakRssBytes } from '../engine/memory';
import { type Model, type ModelOptions, openModel } from '../engine/model/model';
import { fullView } from '../engine/model/view';
import { inPhases, type JobOptions } from '../engine/progress';
import { calibrationsOf } from '../engine/records/calibrations';
import { detailsOf } from '../engine/records/details';
import { modelInput, newRecord, type RunRecord } from '../engine/records/record';
import { evaluationRows } from '../engine/retrain/data/held-out';
import { type ComparedOn, comparedOn } from '../engine/retrain/likeness';
import { writeOutput } from '../engine/retrain/output';
import type { EvaluationSummary, RetrainSummary, RunSummary } from '../engine/retrain/report';
import { unprunedLoss } from '../engine/retrain/unpruned-loss';
import { checkpointWeights } from '../engine/weights/checkpoint';
import { withChanges } from '../engine/weights/overlay';
import { HELD_OUT_ROWS, type Manifest, readManifest } from './manifest';
import { readLog, readTrained, type Trained, type TrainingLog } from './result';
import { readRows } from './rows';
import { type HandedModels, requireUnchanged } from './unchanged';

export interface TakeRequest {
  readonly folder: string;
  readonly out: string;
  /** Write a checkpoint with the adapter in it. */
  readonly merge: boolean;
  readonly dtype?: WeightDtype;
  readonly compute: ModelOptions;
}

/** What was taken, and how it compares; `before` and `after` are absent where no row is held out. */
export interface Taken extends RetrainSummary {
  readonly handOver: string;
  readonly to: Manifest['to'];
  readonly before?: Compared;
  readonly after?: Compared;
}

/** A model on the rows that are held out: mean cross-entropy, and likeness to the original. */
type Compared = ComparedOn & { readonly ppl: number };

/** @throws UserError when the hand-over has changed or the result does not fit; CancelledError. No partial output remains */
export async function take(request: TakeRequest, job: JobOptions): Promise<Taken> {
  const started = new Date();
  const folder = resolve(request.folder);
  const manifest = await readManifest(folder);
  const [checking, comparing, writing] = inPhases(job, [{ share: 1 }, { share: 8 }, { share: 1 }]);
  const models = await requireUnchanged(folder, manifest, checking);
  const result = join(folder, manifest.result);
  const trained = await readTrained(result, models.checkpoint);
  const log = await readLog(result);
  const found = await compareAll(folder, manifest, models, trained, request.compute, comparing);
  const summary = summaryOf(manifest, trained, log, found);
  const settings = settingsOf(manifest, models, trained, log);
  const inputs = [
    ...manifest.inputs,
    { ...modelInput(models.original), role: 'teacher' },
    ...(await calibrationsOf(models.checkpoint)),
  ];
  const { device } = found;
  const details = detailsOf(models.checkpoint, request.compute, { inputs, settings, seed: manifest.seed, device });
  const record = (extra?: object): RunRecord =>
    newRecord({ ...details, kind: 'retrain', results: { ...summary, ...extra }, started });
  const { adapter, parameters } = trained;
  const method = adapter ? ({ kind: 'lora' } as const) : ({ kind: 'full', start: 'checkpoint' } as const);
  const { out, merge, dtype } = request;
  const written = await writeOutput(
    models,
    { out, merge, dtype, method },
    { parameters, ...(adapter && { adapter: () => adapter }), takesHealed: false },
    { ...settings, removed: [] },
    record,
    writing,
  );
  const { before, after } = found;
  return {
    ...summary,
    ...{ kind: written.kind, adapter: written.kind === 'adapter' ? written.out : null, out: written.out },
    ...{ handOver: folder, to: manifest.to, ...(before && { before }), ...(after && { after }) },
  };
}

interface Comparisons {
  readonly original?: number;
  readonly before?: Compared;
  readonly after?: Compared;
  readonly device: Model['device'];
  readonly seconds: number;
}

/** The original, the model before the training and after it, on the rows of every evaluation. */
async function compareAll(
  folder: string,
  { seed }: Manifest,
  { checkpoint, original }: HandedModels,
  { patches }: Trained,
  compute: ModelOptions,
  job: JobOptions,
): Promise<Comparisons> {
  const start = performance.now();
  const { vocabulary } = requireArchitecture(checkpoint);
  const rows = evaluationRows(await readRows(join(folder, HELD_OUT_ROWS), vocabulary), seed);
  const teacher = await openModel(original, compute);
  try {
    const student = await openModel(checkpoint, compute);
    try {
      const { device } = student;
      const seconds = (): number => (performance.now() - start) / 1000;
      if (rows.length === 0) return { device, seconds: seconds() };
      const loss = await unprunedLoss(teacher, rows, undefined, job);
      const against = { model: teacher, view: fullView(teacher.architecture.layers.length) };
      const view = fullView(student.architecture.layers.length);
      const compared = async (model: Model): Promise<Compared | undefined> => {
        const numbers = await comparedOn(rows, { model, view }, against, { signal: job.signal });
        return numbers && { ...numbers, ppl: Math.exp(numbers.loss) };
      };
      const before = await compared(student);
      const trained = await student.withWeights(withChanges(checkpointWeights(checkpoint), [patches]));
      try {
        return { original: loss, before, after: await compared(trained), device, seconds: seconds() };
      } finally {
        await trained.close();
      }
    } finally {
      await student.close();
    }
  } finally {
    await teacher.close();
  }
}

/** The results of a record of `retrain`. */
function summaryOf(
  { data }: Manifest,
  { count }: Trained,
  log: TrainingLog | undefined,
  { original, before, after, seconds }: Comparisons,
): RunSummary {
  const steps = log?.steps ?? [];
  const last = log?.kept ?? steps.at(-1)?.step ?? 0;
  const evaluation = (step: number, { loss, ppl }: Compared): EvaluationSummary => ({ step, loss, ppl });
  const speed = log?.tokensPerSecond ?? 0;
  return {
    steps: steps.at(-1)?.step ?? last,
    trace: steps.map((each) => ({ ...each, tokensPerSecond: speed })),
    evaluations: [...(before ? [evaluation(0, before)] : []), ...(after ? [evaluation(last, after)] : [])],
    best: after ? evaluation(last, after) : null,
    ...(original !== undefined && { unpruned: { loss: original, ppl: Math.exp(original) } }),
    ...(before && after && { likeness: { before: likenessIn(before), after: likenessIn(after) } }),
    parameters: count,
    removed: [],
    data,
    tokensPerSecond: speed,
    seconds: (log?.seconds ?? 0) + seconds,
    device: log?.device ?? 'unknown',
    precision: 'float32',
    peakRssBytes: peakRssBytes(),
  };
}

const likenessIn = ({ kl, top1, tokens }: Compared): Pick<Compared, 'kl' | 'top1' | 'tokens'> => ({ kl, top1, tokens });

function settingsOf(
  { to, coppice, teacher, plan, firstLoss }: Manifest,
  { original }: HandedModels,
  { adapter }: Trained,
  log: TrainingLog | undefined,
): Readonly<Record<string, unknown>> {
  return {
    method: adapter ? 'lora' : 'full',
    ...(adapter && { rank: adapter.rank, alpha: adapter.alpha, dropout: adapter.dropout }),
    teacher: original.identity,
    teacherWeight: teacher.weight,
    trainedBy: to,
    ...(log && { versions: log.versions, processes: log.processes }),
    handedOverBy: coppice,
    plan,
    firstLoss: firstLoss.loss,
  };
}
