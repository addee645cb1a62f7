/** The jobs that a panel starts without a command. */
import { basename } from 'node:path';
import type { JobOutcome } from '../../protocol/jobs';
import type { PanelMessage } from '../../protocol/panel';
import { drawnOptions } from '../../jobs/options/calibration';
import type { JobEnded } from '../../sidecar/client';
import type { MeasuringPart } from './measuring-part';
import type { PanelReading } from './panel-reading';
import type { PlanPart } from './plan-part';
import type { PanelServices, PanelCheckpoint } from './services';

export interface JobsOptions {
  readonly source: PanelCheckpoint;
  readonly services: Pick<PanelServices, 'settings' | 'sidecar' | 'trainings'>;
  readonly reading: PanelReading;
  readonly plan: PlanPart;
  readonly measuring: MeasuringPart;
}

export class JobsPart {
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

  async measureSpeed(): Promise<void> {
    const { services, reading, plan } = this.options;
    await reading.again();
    const { compute, recordFolders: records } = services.settings();
    const columns = reading.measuredColumns(plan.removed);
    await services.sidecar.run({
      kind: 'speeds',
      ...compute,
      records,
      columns: columns.map(({ label, source }) => ({ label, ...source })),
    });
    await reading.again();
  }

  /** Measures an adapter of this name, if it fits the checkpoint. */
  async evaluateRetrained(name: string): Promise<void> {
    const adapter = this.options.reading.adapters.find((folder) => basename(folder) === name);
    if (adapter !== undefined) await this.evaluateAdapter(adapter);
  }

  /** Measures an adapter's perplexity. The run leaves a record, so that its point stays in the curve. */
  async evaluateAdapter(adapter: string): Promise<void> {
    const { source, services, reading, measuring } = this.options;
    await reading.again();
    const { compute, recordFolders } = services.settings();
    await services.sidecar.run({
      kind: 'eval',
      checkpoint: source.path,
      adapter,
      ...drawnOptions(measuring.requireText().source),
      ...compute,
      records: recordFolders,
    });
    await reading.again();
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
