/** The jobs that a panel starts without a command. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { HEAL_TOKENS, SELF } from '../../jobs/healing-amounts';
import type { JobOutcome, ModelSource } from '../../protocol/jobs';
import type { PanelMessage } from '../../protocol/panel';
import { drawnOptions } from '../../jobs/options/calibration';
import type { JobEnded } from '../../sidecar/client';
import { PATCH } from '../../state/group-files';
import { inRanges } from './columns';
import type { MeasuringPart } from './measuring-part';
import { withoutLabel } from './model-labels';
import type { PanelReading } from './panel-reading';
import type { PlanPart } from './plan-part';
import type { PanelServices, PanelCheckpoint } from './services';

export interface JobsOptions {
  readonly source: PanelCheckpoint;
  readonly services: Pick<PanelServices, 'host' | 'settings' | 'sidecar' | 'trainings'>;
  readonly reading: PanelReading;
  readonly plan: PlanPart;
  readonly measuring: MeasuringPart;
}

export class JobsPart {
  /** Files of new weights that are not kept. */
  private readonly scratch = new Set<string>();

  constructor(private readonly options: JobsOptions) {}

  /** Draws the curve in the order of the newest scores; without scores the job ranks the blocks first. */
  async drawCurve(criterion: Extract<PanelMessage, { type: 'start/curve' }>['criterion']): Promise<void> {
    const { source, services, reading, plan, measuring } = this.options;
    await reading.again();
    const { source: text, shown } = measuring.requireText();
    const { file, ...rows } = text;
    const { compute, keepEnds, recordFolders } = services.settings();
    const scores = reading.runs.scores(criterion, source.checkpoint.architecture!.layers.length, shown.rowsKey);
    await services.sidecar.run({
      kind: 'curve',
      checkpoint: source.path,
      criterion,
      ...compute,
      records: recordFolders,
      ...rows,
      calibration: file,
      keepEnds,
      keep: plan.now().locked,
      ...(scores !== undefined && { scores }),
    });
    await reading.again();
  }

  /** Lets a command ask how much to measure of the checkpoint, its plan and what was made from it. */
  async measureSpeed(): Promise<void> {
    const { source, services, reading, plan } = this.options;
    await reading.again();
    const columns = reading.measuredColumns(plan.removed).map(({ label, source: of }) => ({ label, ...of }));
    services.host.measureSpeed(source.path, columns);
  }

  /** Measures an adapter of this name, if it fits the checkpoint. */
  async evaluateRetrained(name: string): Promise<void> {
    const adapter = this.options.reading.adapters.find((folder) => basename(folder) === name);
    if (adapter !== undefined) await this.evaluate({ adapter });
  }

  /**
   * Measures the perplexity of the checkpoint with an adapter or healed weights, or of one made from it, on the panel's
   * rows. The run leaves a record, so that its point stays in the curve.
   */
  async evaluate(model: Partial<ModelSource>): Promise<void> {
    const { source, services, reading, measuring } = this.options;
    await reading.again();
    const { compute, recordFolders } = services.settings();
    await services.sidecar.run({
      kind: 'eval',
      checkpoint: source.path,
      ...model,
      ...drawnOptions(measuring.requireText().source),
      ...compute,
      records: recordFolders,
    });
    await reading.again();
  }

  /**
   * Heals the plan on a little text that the whole model writes, and measures it. The measured text must not be the one
   * that is fitted. The new weights are not kept; the records of both runs are.
   */
  async healPlan(): Promise<void> {
    const { source, services, plan, measuring, reading } = this.options;
    await reading.again();
    measuring.requireText(); // before any computation
    const { removed } = plan;
    if (removed.length === 0) return;
    const { compute, recordFolders: records } = services.settings();
    const folder = await mkdtemp(join(tmpdir(), 'coppice-heal-'));
    try {
      const patch = join(folder, `${withoutLabel(inRanges(removed)).replaceAll(', ', ' ')}${PATCH}`);
      this.scratch.add(patch);
      const { result } = await services.sidecar.run({
        kind: 'heal',
        checkpoint: source.path,
        remove: removed,
        data: [SELF],
        tokens: HEAL_TOKENS.quick,
        patch,
        ...compute,
        records,
      });
      if (result.patch !== null) await this.evaluate({ heal: patch });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /**
   * The model that a job of this checkpoint has written: another checkpoint, or a file of healed weights. Undefined for
   * one that is not kept, which the panel measures itself.
   */
  writtenModel({ spec, outcome }: JobEnded): Partial<ModelSource> | undefined {
    if (spec.kind !== 'heal' && spec.kind !== 'prune' && spec.kind !== 'merge') return undefined;
    if (spec.checkpoint !== this.options.source.path || !outcome) return undefined;
    const { result } = outcome as JobOutcome<'heal' | 'prune' | 'merge'>;
    if (!('writingSeconds' in result)) return result.out === null ? undefined : { checkpoint: result.out };
    const { out, patch, weights } = result;
    if (out !== null) return { checkpoint: out };
    return patch === null || weights === 'plain' || this.scratch.has(patch) ? undefined : { heal: patch };
  }

  /** The adapter that a job of this checkpoint has trained. */
  trainedAdapter({ spec, outcome }: JobEnded): string | undefined {
    if (spec.kind !== 'retrain' || spec.checkpoint !== this.options.source.path || !outcome) return undefined;
    const { kind, out } = (outcome as JobOutcome<'retrain'>).result;
    return kind === 'adapter' ? out : undefined;
  }

  /** Resumes the training that was stopped, if there is one. */
  async resumeTraining(): Promise<void> {
    const { source, services } = this.options;
    const spec = services.trainings.resumed(source.path, source.checkpoint.identity);
    const records = services.settings().recordFolders;
    if (spec) await services.sidecar.run({ ...spec, records }).catch(() => undefined); // the training shows its failure
  }
}
