/**
 * The host's side of one results panel: holds its state, answers its messages, and tells it what changes, numbered, so
 * that a panel which was hidden or reloaded asks for the whole state again. Knows nothing of VS Code.
 */
import { basename } from 'node:path';
import { requireArchitecture } from '../../engine/checkpoint/open';
import { compareRuns } from '../../engine/runs/compare';
import { modelCard } from '../../engine/runs/model-card';
import { reportHtml } from '../../engine/runs/report';
import type { UserFailure } from '../../protocol/errors';
import type { JobInfo } from '../../protocol/jobs';
import type { HostMessage, PanelMessage, PanelState } from '../../protocol/panel';
import type { RemovedEntry } from '../../protocol/json';
import type { ViewPerplexity } from '../../protocol/short';
import type { Subscription } from '../../sidecar/emitter';
import { toWire } from '../../sidecar/wire';
import { subjectOf } from '../../views/subject';
import { columnsOf, modelOf, planOf, Runs } from './facts';
import { LiveTrainingFollower } from './live-training';
import { PlanHistory } from './plan-history';
import { SamplesDesk } from './samples-desk';
import type { PanelServices, PanelSubject } from './services';
import { WhatIfWatch } from './what-if';

/** Messages as they are before they get their number. */
type Unnumbered<M> = M extends unknown ? Omit<M, 'sequence'> : never;

export class ResultsSession {
  private sequence = 0;
  private readonly history: PlanHistory;
  private readonly runs: Runs;
  private readonly whatIf: WhatIfWatch;
  private readonly training: LiveTrainingFollower;
  private readonly samples: SamplesDesk;
  private readonly subscriptions: Subscription[];
  private state: PanelState;
  private jobIds = '';

  constructor(
    private readonly subject: PanelSubject,
    private readonly services: PanelServices,
    chat: boolean,
  ) {
    const { plans, sidecar } = services;
    this.history = new PlanHistory(this.removed);
    this.runs = new Runs(subject);
    this.whatIf = new WhatIfWatch({
      ask: ({ remove }, signal) => this.askPerplexity(remove, signal),
      changed: (whatIf) => this.update({ whatIf }),
      failed: (error) => this.failureOf(error)?.why ?? '',
    });
    this.training = new LiveTrainingFollower(
      (training) => this.update({ training }),
      (points, training) => {
        this.state = { ...this.state, training };
        this.post({ type: 'training', ...points });
      },
    );
    this.samples = new SamplesDesk(
      subject.path,
      services,
      (writing) => this.update({ writing }),
      (text, writing) => {
        this.state = { ...this.state, writing };
        this.post({ type: 'text', ...text });
      },
    );
    this.state = {
      ...{ model: modelOf(subject), plan: this.planNow(), whatIf: this.whatIf.state, columns: this.columns() },
      ...{ runs: [], unreadable: [], jobs: this.jobs(), ...this.prompts(), chat },
      ...{ training: null, writing: null, comparison: null, failure: null },
    };
    this.subscriptions = [
      plans.onChange((path) => path === subject.path && this.planChanged()),
      sidecar.onJobs(() => this.jobsChanged()),
      sidecar.onProgress(() => this.update({ jobs: this.jobs() })),
      sidecar.onEvent(({ id, spec, event }) => {
        if (spec.kind !== 'retrain' || spec.checkpoint !== subject.path || event.type === 'text') return;
        this.training.add(id, event, spec.out);
      }),
    ];
  }

  /** Handles a message of the panel; what goes wrong is shown in it. */
  async receive(message: PanelMessage): Promise<void> {
    try {
      await this.handle(message);
    } catch (error) {
      this.fail(error);
    }
  }

  /** Looks at runs, adapters and settings afresh. */
  async refresh(): Promise<void> {
    const { runs, unreadable } = await this.runs.read(this.services.settings().recordFolders);
    this.update({ runs, unreadable, columns: this.columns(), plan: this.planNow(), ...this.prompts() });
  }

  /** Rows or device are others now: what was computed with the old ones says nothing. */
  settingsChanged(): void {
    this.whatIf.reset();
    this.update({ whatIf: this.whatIf.state, plan: this.planNow() });
  }

  dispose(): void {
    this.whatIf.dispose();
    this.training.dispose();
    this.samples.stop();
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  private get removed(): readonly number[] {
    return this.services.plans.removed(subjectOf(this.subject.path, this.subject.checkpoint)!);
  }

  private async handle(message: PanelMessage): Promise<void> {
    const { host, sidecar } = this.services;
    switch (message.type) {
      case 'ready':
        this.sequence = 0;
        host.post({ sequence: 0, type: 'init', state: this.state });
        return this.refresh();
      case 'plan/toggle': {
        const removed = this.removed.includes(message.block)
          ? this.removed.filter((block) => block !== message.block)
          : [...this.removed, message.block];
        this.setPlan(removed);
        return;
      }
      case 'plan/set':
        this.setPlan(message.removed);
        return;
      case 'plan/undo':
        this.setPlan(this.history.undo());
        return;
      case 'plan/redo':
        this.setPlan(this.history.redo());
        return;
      case 'start':
        host.start(message.action, this.subject.path);
        return;
      case 'start/curve':
        return this.drawCurve(message.criterion);
      case 'start/retrained':
        for (const adapter of this.services.neighbours().adapters)
          if (basename(adapter) === message.adapter) return this.evaluateRetrained(adapter);
        return;
      case 'job/cancel':
        return sidecar.cancel(message.id);
      case 'samples/write':
        await this.samples.write(message, this.removed);
        return this.refresh();
      case 'samples/stop':
        this.samples.stop();
        return;
      case 'prompts/keep':
        await this.services.prompts.keep(message.prompt);
        this.update(this.prompts());
        return;
      case 'prompts/forget':
        await this.services.prompts.forget(message.prompt);
        this.update(this.prompts());
        return;
      case 'runs/compare':
        this.update({ comparison: compareRuns(this.runs.pick(message.ids).map(({ digest }) => digest)) });
        return;
      case 'runs/delete':
        if (await host.confirmDeletion(message.ids.length)) await this.runs.remove(message.ids);
        return this.refresh();
      case 'runs/open':
        for (const { file } of this.runs.pick([message.id])) await host.open(file);
        return;
      case 'runs/report': {
        const chosen = this.runs.pick(message.ids);
        const changed = chosen.map(({ id }) => this.state.runs.find((run) => run.id === id)?.changed ?? []);
        const digests = chosen.map(({ digest }) => digest);
        return host.save('report.html', { text: reportHtml(digests, await host.reportAssets(), changed) });
      }
      case 'runs/card':
        return host.save('runs.md', { text: modelCard(this.runs.pick(message.ids).map(({ digest }) => digest)) });
      case 'file/save':
        return host.save(message.name, message.content);
      case 'clipboard':
        return host.copy(message.text);
      case 'failure/dismiss':
        this.update({ failure: null });
        return;
      case 'fault':
        host.logError(new Error(`the results panel: ${message.message}`));
        return;
    }
  }

  private setPlan(removed: readonly number[] | undefined): void {
    if (removed) this.services.plans.set(subjectOf(this.subject.path, this.subject.checkpoint)!, removed);
    this.update({ plan: this.planNow() }); // also when the plan refused what was wanted
  }

  private planChanged(): void {
    this.history.note(this.removed);
    this.update({ plan: this.planNow(), columns: this.columns() });
    if (this.services.host.trusted()) this.whatIf.planned(this.removed);
  }

  private askPerplexity(remove: readonly RemovedEntry[] | undefined, signal: AbortSignal): Promise<ViewPerplexity> {
    const { compute } = this.services.settings();
    const params = { ...compute, checkpoint: this.subject.path, remove, calibration: this.calibration() };
    return this.services.sidecar.request('view/perplexity', params, signal);
  }

  /** Rows no longer than the model's context. */
  private calibration(): ReturnType<PanelServices['settings']>['calibration'] {
    const { calibration } = this.services.settings();
    const { context } = requireArchitecture(this.subject.checkpoint);
    return { ...calibration, length: Math.min(calibration.length, context) };
  }

  private async drawCurve(criterion: Extract<PanelMessage, { type: 'start/curve' }>['criterion']): Promise<void> {
    const { compute, plus, recordFolders } = this.services.settings();
    const calibration = this.calibration();
    const { locked } = this.planNow();
    await this.services.sidecar.run({
      ...{ kind: 'curve', checkpoint: this.subject.path, criterion, ...compute, records: recordFolders },
      ...{ scoring: { calibration }, rows: { from: 'calibration', ...calibration }, plus, keep: locked },
    });
    await this.refresh();
  }

  private jobsChanged(): void {
    const ids = this.services.sidecar.jobs.map(({ id }) => id).join();
    const ended = this.jobIds.split(',').some((id) => id !== '' && !ids.includes(id));
    this.jobIds = ids;
    this.update({ jobs: this.jobs() });
    if (ended) void this.jobEnded().catch((error: unknown) => this.services.host.logError(error));
  }

  /** A run has left a record; a retraining has left an adapter, whose perplexity is the answer to why it was made. */
  private async jobEnded(): Promise<void> {
    await this.refresh();
    const running = this.services.sidecar.jobs.map(({ id }) => id);
    const adapter = this.training.finish(running, this.state.runs);
    if (adapter !== undefined) await this.evaluateRetrained(adapter);
  }

  /** A point of the curve that stays: its evaluation leaves a record. */
  private async evaluateRetrained(adapter: string): Promise<void> {
    const { compute, recordFolders } = this.services.settings();
    await this.services.sidecar.run({
      ...{ kind: 'evaluate', checkpoint: this.subject.path, adapter },
      ...{ calibration: this.calibration(), ...compute, records: recordFolders },
    });
    await this.refresh();
  }

  private readonly jobs = (): PanelState['jobs'] =>
    this.services.sidecar.jobs
      .filter(({ checkpoint }: JobInfo) => checkpoint === this.subject.path)
      .map(({ id, kind, state, progress }: JobInfo) => ({ id, kind, state, ...(progress && { progress }) }));

  private planNow(): PanelState['plan'] {
    return planOf(this.subject, this.removed, this.history, this.services.settings());
  }

  private columns(): PanelState['columns'] {
    const columns = columnsOf(this.subject.path, this.removed, this.services.neighbours());
    return columns.map(({ id, label, detail }) => ({ id, label, detail }));
  }

  private prompts(): Pick<PanelState, 'prompts' | 'ownPrompts'> {
    const { all, own } = this.services.prompts;
    return { prompts: all, ownPrompts: own };
  }

  private fail(error: unknown): void {
    const failure = this.failureOf(error);
    if (failure) this.update({ failure });
  }

  /** As the user sees it; undefined for what was cancelled. */
  private failureOf(error: unknown): UserFailure | undefined {
    const wire = toWire(error);
    if (wire.kind === 'cancelled') return undefined;
    if (wire.kind === 'user') return wire;
    this.services.host.logError(error);
    return { kind: 'user', what: 'Coppice met an unexpected error', why: wire.message, action: 'The log has more.' };
  }

  private update(changes: Partial<PanelState>): void {
    this.state = { ...this.state, ...changes };
    this.post({ type: 'update', changes });
  }

  private post(message: Unnumbered<HostMessage>): void {
    this.services.host.post({ sequence: ++this.sequence, ...message });
  }
}
