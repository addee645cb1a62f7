/** The rivals: each looks at the whole model, and narrows it to every size. What is kept goes to small files. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Checkpoint } from '../../engine/checkpoint/types';
import { narrowCheckpoint } from '../../engine/checkpoint/width';
import { throwIfCancelled } from '../../engine/errors';
import { METHOD_TITLES, VERSUS_METHODS, isWidthMethod } from '../../engine/evaluate/versus-methods';
import type { Calibration } from '../../engine/importance/calibration';
import { measureWidth } from '../../engine/importance/width/measure';
import type { WidthMethod } from '../../engine/importance/width/methods';
import type { Model } from '../../engine/model/model';
import { withModel } from '../../engine/model/opened';
import { inPhases, type JobOptions, labelled } from '../../engine/progress';
import { cannotWrite } from '../../engine/system-failure';
import { saveWidth } from '../../engine/weights/width-file';
import { type JobContext, modelOptions, secondsSince } from '../run';
import { type Candidate, failedCandidate, labelOf, shapeOf, type Size, type VersusOptions } from './versus-models';

interface Rivals {
  readonly checkpoint: Checkpoint;
  readonly options: VersusOptions;
  readonly calibration: Calibration;
  readonly sizes: readonly Size[];
  /** For the files of what is kept. */
  readonly folder: string;
}

/** The file of what a rival keeps at a size. */
export const widthFile = (folder: string, method: WidthMethod, count: number): string =>
  join(folder, `${method}-${count}.width.safetensors`);

export const rivalsOf = ({ methods = VERSUS_METHODS }: VersusOptions): WidthMethod[] =>
  VERSUS_METHODS.filter((method) => methods.includes(method)).filter(isWidthMethod);

/** @throws UserError when a file cannot be written; CancelledError */
export async function rivalCandidates(rivals: Rivals, context: JobContext, job: JobOptions): Promise<Candidate[]> {
  const { checkpoint, options, folder } = rivals;
  const methods = rivalsOf(options);
  if (methods.length === 0) return [];
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw cannotWrite(folder, error);
  }
  const jobs = inPhases(
    job,
    methods.map(() => ({ share: 1 })),
  );
  return withModel(checkpoint, modelOptions(options, context), async (model) => {
    const found: Candidate[] = [];
    for (const [at, method] of methods.entries()) {
      const own = labelled(jobs[at], METHOD_TITLES[method]);
      found.push(...(await candidatesBy(model, method, rivals, context, own)));
    }
    return found;
  });
}

async function candidatesBy(
  model: Model,
  method: WidthMethod,
  { checkpoint, options, calibration, sizes, folder }: Rivals,
  context: JobContext,
  job: JobOptions,
): Promise<Candidate[]> {
  const bases = sizes.map(({ count }) => {
    return { method, kind: 'width', count, label: labelOf(method, count), removed: [] } as const;
  });
  const [measuring, ...selecting] = inPhases(job, [{ share: 3 }, ...sizes.map(() => ({ share: 1 }))]);
  const start = performance.now();
  try {
    const measured = await measureWidth(model, calibration.rows, { method, multiple: options.multiple }, measuring);
    const seconds = secondsSince(start);
    const told = new Set<string>();
    const candidates: Candidate[] = [];
    for (const [at, { parameters, count }] of sizes.entries()) {
      throwIfCancelled(context.job.signal);
      const base = bases[at];
      try {
        const clock = performance.now();
        const { width, ratio, warnings } = await measured.select({ parameters }, selecting[at]);
        const pruningSeconds = seconds + secondsSince(clock);
        warnings.forEach((warning) => told.add(warning));
        const narrow = narrowCheckpoint(checkpoint, width);
        const file = widthFile(folder, method, count);
        const { source: name, sha256 } = calibration;
        await saveWidth(file, narrow, { method, texts: [{ name, sha256 }], facts: { ratio, parameters } });
        candidates.push({
          model: { ...base, ratio, ...shapeOf(narrow.architecture!), pruningSeconds },
          column: { label: base.label, checkpoint: options.checkpoint, width: file },
        });
      } catch (error) {
        candidates.push(failedCandidate(base, error));
      }
    }
    for (const warning of told) context.warn(`${METHOD_TITLES[method]}: ${warning}`);
    return candidates;
  } catch (error) {
    return bases.map((base) => failedCandidate(base, error));
  }
}
