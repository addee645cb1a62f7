/**
 * The host's side of one results panel: holds its state, answers its messages, and tells it what changes, numbered, so
 * that a panel which was hidden or reloaded asks for the whole state again. Knows nothing of VS Code.
 */
import { basename } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { requireTrusted } from '../../host/restricted';
import { requireArchitecture } from '../../engine/checkpoint/open';
import { UserError } from '../../engine/errors';
import { calibrationKey } from '../../engine/records/rows-key';
import { l10n } from '../../l10n';
import type { UserFailure } from '../../protocol/errors';
import type { JobOutcome } from '../../protocol/jobs';
import type { JsonNumber, RemovedEntry } from '../../protocol/json';
import type { HostMessage, PanelFamily, PanelMessage, PanelState } from '../../protocol/panel';
import type { ViewPerplexity } from '../../protocol/short';
import type { JobEnded } from '../../sidecar/client';
import type { Subscription } from '../../sidecar/emitter';
import type { PlanSubject } from '../../views/plan';
import { subjectOf } from '../../views/subject';
import { AdapterList } from './adapter-list';
import { type Column, columnsOf, measuredColumns } from './columns';
import { modelOf, planOf } from './facts';
import { failureOf } from './failures';
import { familyOf } from './family';
import { Origins } from './origins';
import { type MeasuredOn, PanelTexts, type ScoredRows, type TextSource } from './panel-texts';
import type { PlanHistory } from './plan-history';
import { Relatives } from './relatives';
import { actOnRuns, isRunMessage } from './run-actions';
import { RunList } from './run-list';
import { SampleRequests } from './sample-requests';
import type { PanelServices, PanelCheckpoint } from './services';
import { type Known, WhatIfWatch } from './what-if-watch';

/** Messages as they are before they get their number. */
type Unnumbered<M> = M extends unknown ? Omit<M, 'sequence'> : never;

/** Messages that compute without a command. Commands that the panel starts check the trust of the workspace themselves. */
const COMPUTING: ReadonlySet<PanelMessage['type']> = new Set<PanelMessage['type']>([
  ...(['start/curve', 'start/bench', 'start/retrained', 'training/resume', 'samples/write'] as const),
]);

export class ResultsSession {
  private sequence = 0;
  private disposed = false;
  private readonly history: PlanHistory;
  private readonly runs: RunList;
  private readonly adapters: AdapterList;
  private readonly relatives: Relatives;
  private readonly texts: PanelTexts;
  /** The text that is measured on; undefined until it has been read. */
  private measuredOn: MeasuredOn | undefined;
  private readonly whatIf: WhatIfWatch;
  private readonly samples: SampleRequests;
  private readonly subscriptions: Subscription[];
  private state: PanelState;
  /** The settings that numbers depend on, and where runs and the usual text lie, as they were looked at last. */
  private settled: { readonly computing: string; readonly files: string };
  /** One reading after the other, so that an older one never has the last word. */
  private reading: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly source: PanelCheckpoint,
    private readonly services: PanelServices,
    chat: boolean,
  ) {
    const { plans, scores, sidecar, trainings } = services;
    const { path, checkpoint } = source;
    this.history = services.histories.of(this.planSubject);
    const origins = new Origins();
    const nameOf = (file: string): string => services.host.nameOf(file);
    this.runs = new RunList(source, origins, nameOf);
    this.texts = new PanelTexts(nameOf, () => services.settings().inputFolders);
    this.relatives = new Relatives(source, services.load, origins);
    this.adapters = new AdapterList(checkpoint);
    this.settled = this.settingsNow();
    this.whatIf = new WhatIfWatch({
      ask: ({ remove }, signal) => this.askPerplexity(remove, signal),
      changed: (whatIf) => this.update({ whatIf }),
      failed: (error) => this.failureOf(error)?.why ?? '',
    });
    this.samples = new SampleRequests(
      services,
      (writing) => this.update({ writing }),
      (text, writing) => {
        this.state = { ...this.state, writing };
        this.post({ type: 'text', ...text });
      },
      (error) => this.failureOf(error),
    );
    this.state = {
      ...{
        model: modelOf(source),
        family: { parent: null, children: [] },
        text: null,
        plan: this.planNow(),
        whatIf: this.whatIf.state,
        columns: this.choices(),
      },
      ...{ runs: [], unreadable: [], jobs: this.jobs(), ...this.prompts(), chat },
      ...{ training: this.trainingNow(), writing: null, comparison: null, failure: null },
      trusted: services.host.trusted(),
    };
    this.subscriptions = [
      plans.onChange((changed) => changed === path && this.planChanged()),
      scores.onChange((changed) => changed === path && this.updateWhatDiffers({ plan: this.planNow() })),
      sidecar.onJobs(() => this.updateWhatDiffers({ jobs: this.jobs() })),
      sidecar.onProgress(() => this.updateWhatDiffers({ jobs: this.jobs() })),
      sidecar.onEnded((end) => void this.jobEnded(end)),
      trainings.listen(path, {
        changed: (training) => this.update({ training }),
        grown: (points, training) => {
          this.state = { ...this.state, training };
          this.post({ type: 'training', ...points });
        },
      }),
    ];
  }

  /** Handles a message of the panel; what goes wrong is shown in it. */
  receive(message: PanelMessage): Promise<void> {
    return this.attempt(() => this.handle(message));
  }

  /** Reads runs, adapters and settings again. */
  refresh(): Promise<void> {
    return this.attempt(() => this.reread());
  }

  /** Drops numbers that were computed on another device or on other rows. */
  settingsChanged(): void {
    const { computing, files } = this.settled;
    this.settled = this.settingsNow();
    if (this.settled.computing !== computing) this.restartWhatIf();
    this.updateWhatDiffers({ plan: this.planNow() });
    if (this.settled.files !== files) void this.refresh();
  }

  /** The workspace is trusted from now on. */
  trusted(): void {
    this.update({ trusted: true });
    this.settingsChanged();
    if (this.whatIf.state.status === 'idle') this.askWhatIf();
  }

  /** Another session may speak to the panel from now on: this one says nothing more, and hears nothing. */
  dispose(): void {
    this.disposed = true;
    this.whatIf.dispose();
    this.samples.stop();
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  private get removed(): readonly number[] {
    return this.services.plans.removed(this.planSubject);
  }

  private get planSubject(): PlanSubject {
    return subjectOf(this.source.path, this.source.checkpoint)!;
  }

  private async attempt(act: () => Promise<unknown>): Promise<void> {
    if (this.disposed) return;
    try {
      await act();
    } catch (error) {
      const failure = this.failureOf(error);
      if (failure) this.update({ failure });
    }
  }

  private async handle(message: PanelMessage): Promise<unknown> {
    const { host, sidecar, prompts, trainings } = this.services;
    if (COMPUTING.has(message.type)) requireTrusted(host.trusted());
    if (isRunMessage(message)) {
      this.update(await actOnRuns(message, this.runs, host, this.source.checkpoint.folder));
      return message.type === 'runs/delete' ? this.reread() : undefined;
    }
    switch (message.type) {
      case 'ready':
        return this.begin();
      case 'plan/toggle': {
        const { removed } = this;
        const { block } = message;
        this.setPlan(removed.includes(block) ? removed.filter((other) => other !== block) : [...removed, block]);
        return;
      }
      case 'plan/set':
        this.setPlan(message.removed, message.criterion);
        return;
      case 'plan/undo':
        this.movePlan('undo');
        return;
      case 'plan/redo':
        this.movePlan('redo');
        return;
      case 'start':
        host.start(message.action, this.source.path);
        return;
      case 'start/curve':
        return this.drawCurve(message.criterion);
      case 'start/bench':
        return this.measureSpeed();
      case 'start/retrained': {
        const adapter = this.adapters.adapters.find((folder) => basename(folder) === message.adapter);
        return adapter === undefined ? undefined : this.evaluateRetrained(adapter);
      }
      case 'text/choose':
        return this.chooseText();
      case 'text/use':
        return this.useText(message.rowsKey);
      case 'family/open':
        if (this.isRelative(message.path)) host.show(message.path);
        return;
      case 'training/resume': {
        const spec = trainings.resumed(this.source.path, this.source.checkpoint.identity);
        const records = this.services.settings().recordFolders;
        return spec && sidecar.run({ ...spec, records }).catch(() => undefined); // its failure is the training's
      }
      case 'job/cancel':
        return sidecar.cancel(message.id);
      case 'samples/write':
        await this.samples.write(
          message,
          this.columns().filter(({ id }) => message.columns.includes(id)),
        );
        return this.reread();
      case 'samples/stop':
        this.samples.stop();
        return;
      case 'prompts/keep':
        await prompts.keep(message.prompt);
        this.update(this.prompts());
        return;
      case 'prompts/forget':
        await prompts.forget(message.prompt);
        this.update(this.prompts());
        return;
      case 'file/save':
        return host.save(message.name, message.content);
      case 'clipboard':
        return host.copy(message.text);
      case 'failure/dismiss':
        this.update({ failure: null });
        return;
      case 'trust/manage':
        host.manageTrust();
        return;
      case 'fault':
        host.logError(new Error(`the results panel: ${message.message}`));
        return;
    }
  }

  /** The panel knows nothing: it was just opened, or missed a message. */
  private async begin(): Promise<void> {
    this.sequence = 0;
    this.services.host.post({ sequence: 0, type: 'init', state: this.state });
    await this.reread();
    if (this.whatIf.state.status === 'idle') this.askWhatIf();
  }

  /** @param criterion whose curve has these blocks as a point */
  private setPlan(removed: readonly number[], criterion?: string): void {
    const suggestion = criterion === undefined ? undefined : this.runs.suggestion(criterion, removed);
    if (suggestion) this.services.plans.suggest(this.planSubject, suggestion);
    else this.services.plans.set(this.planSubject, removed);
    this.update({ plan: this.planNow() }); // also when the plan refused what was wanted
  }

  private movePlan(way: 'undo' | 'redo'): void {
    this.services.histories.move(this.planSubject, way);
    this.update({ plan: this.planNow() });
  }

  private planChanged(): void {
    this.update({ plan: this.planNow(), columns: this.choices() });
    this.askWhatIf(true);
  }

  /**
   * @param always ask even if no block is removed, for the whole model's perplexity alone; without it that is asked only
   *   where the perplexity of the parent is there to compare it with
   */
  private askWhatIf(always = false): void {
    const { removed } = this;
    const compared = (this.state.family.parent?.there?.ppl ?? null) !== null;
    if (this.services.host.trusted() && (always || compared || removed.length > 0)) this.whatIf.planned(removed);
  }

  private async askPerplexity(
    remove: readonly RemovedEntry[] | undefined,
    signal: AbortSignal,
  ): Promise<ViewPerplexity> {
    await this.reading; // it decides which text is measured on
    const { source, shown } = this.requireText();
    const { compute } = this.services.settings();
    const params = { ...compute, checkpoint: this.source.path, remove, calibration: source };
    const answer = await this.services.sidecar.request('view/perplexity', params, signal);
    if (calibrationKey(answer.calibration) !== shown.rowsKey) void this.refresh(); // the text was changed meanwhile
    return { ...answer, calibration: { ...answer.calibration, source: shown.name } };
  }

  /** @throws UserError when the text has changed since it scored the blocks */
  private requireText(): MeasuredOn {
    return usable(this.measuredOn!); // read before any message is answered
  }

  /** The text of the settings, with rows no longer than the model's context. */
  private usualText(): TextSource {
    const { calibration } = this.services.settings();
    const { context } = requireArchitecture(this.source.checkpoint);
    return { ...calibration, length: Math.min(calibration.length, context) };
  }

  /** The rows that this checkpoint was scored on; of one that was not, those of what it was made from. */
  private scorings(): ScoredRows[] {
    const own = this.runs.scorings(this.source.checkpoint.identity);
    const { origin } = this.relatives.self;
    return own.length > 0 || !origin ? own : this.runs.scorings(origin.identity);
  }

  private async chooseText(): Promise<void> {
    await this.reread();
    const known = await this.texts.known(this.scorings(), this.usualText());
    const chosen = await this.services.host.chooseText(known.map(({ shown }) => shown));
    if (chosen === undefined) return;
    const source =
      typeof chosen === 'string'
        ? { ...this.usualText(), file: chosen }
        : known.find(({ shown }) => shown.rowsKey === chosen.rowsKey)?.source;
    if (source) this.texts.choose(source);
    await this.reread();
  }

  /** @throws UserError when the text of these rows has changed since it scored the blocks */
  private async useText(rowsKey: string): Promise<void> {
    const scoring = this.scorings().find((each) => each.rowsKey === rowsKey);
    if (scoring) this.texts.choose(usable(await this.texts.ofScores(scoring, this.usualText().file)).source);
    await this.reread();
  }

  /** Draws the curve in the order of the newest scores; without scores the job ranks the blocks first. */
  private async drawCurve(criterion: Extract<PanelMessage, { type: 'start/curve' }>['criterion']): Promise<void> {
    await this.reread();
    const { source: calibration, shown } = this.requireText();
    const { compute, plus, recordFolders } = this.services.settings();
    const { locked } = this.planNow();
    const scores = this.runs.scores(criterion, this.state.model.blocks, shown.rowsKey);
    await this.services.sidecar.run({
      ...{ kind: 'curve', checkpoint: this.source.path, criterion, ...compute, records: recordFolders },
      ...{ scoring: { calibration }, rows: { from: 'calibration', ...calibration }, plus, keep: locked },
      ...(scores !== undefined && { scores }),
    });
    await this.reread();
  }

  private async measureSpeed(): Promise<void> {
    await this.reread();
    const { compute, recordFolders: records } = this.services.settings();
    const columns = measuredColumns(this.removed, this.adapters.adapters, this.relatives);
    await this.services.sidecar.run({
      ...{ kind: 'bench', ...compute, records },
      columns: columns.map(({ label, source }) => ({ label, ...source })),
    });
    await this.reread();
  }

  /** A run has left a record; a retraining has left an adapter, whose perplexity is the answer to why it was made. */
  private async jobEnded({ spec, outcome }: JobEnded): Promise<void> {
    await this.refresh();
    if (spec.kind !== 'retrain' || spec.checkpoint !== this.source.path || !outcome) return;
    const { kind, out } = (outcome as JobOutcome<'retrain'>).result;
    if (kind === 'adapter') await this.attempt(() => this.evaluateRetrained(out));
  }

  /** A point of the curve that stays: its evaluation leaves a record. */
  private async evaluateRetrained(adapter: string): Promise<void> {
    requireTrusted(this.services.host.trusted());
    await this.reread();
    const { compute, recordFolders } = this.services.settings();
    await this.services.sidecar.run({
      ...{ kind: 'evaluate', checkpoint: this.source.path, adapter },
      ...{ calibration: this.requireText().source, ...compute, records: recordFolders },
    });
    await this.reread();
  }

  private reread(): Promise<void> {
    const now = this.reading.then(async () => {
      const { settings, neighbours } = this.services;
      const { adapters, checkpoints } = neighbours();
      const { recordFolders, inputFolders } = settings();
      await Promise.all([this.adapters.refresh(adapters), this.relatives.refresh(checkpoints)]);
      const { runs, unreadable } = await this.runs.read(recordFolders, inputFolders);
      const before = this.measuredOn;
      this.measuredOn = await this.texts.refresh(this.scorings(), this.usualText());
      const text = this.measuredOn.shown;
      this.updateWhatDiffers({
        ...{ runs, unreadable, columns: this.choices(), plan: this.planNow(), text, family: this.family() },
        training: this.trainingNow(),
        ...this.prompts(),
      });
      this.noteText(before);
    });
    this.reading = now.catch(() => undefined);
    return now;
  }

  /** @param before what was measured on until now */
  private noteText(before: MeasuredOn | undefined): void {
    const { measuredOn } = this;
    if (!isDeepStrictEqual(before?.source, measuredOn?.source) || before?.shown.fault !== measuredOn?.shown.fault) {
      this.restartWhatIf();
      return;
    }
    const known = this.knownPerplexity();
    if (known) this.whatIf.know(known);
  }

  private restartWhatIf(): void {
    const asked = this.whatIf.state.status !== 'idle';
    this.whatIf.restart(this.knownPerplexity());
    this.askWhatIf(asked);
  }

  /** Of the whole model, as runs on the panel's rows tell it. */
  private knownPerplexity(): Known | undefined {
    const { rowsKey, fault, name } = this.measuredOn?.shown ?? {};
    if (rowsKey === undefined || fault !== undefined) return undefined;
    const full = this.runs.perplexity(this.source.checkpoint.identity, rowsKey);
    return full === undefined ? undefined : { full, text: name!, rowsKey };
  }

  private family(): PanelFamily {
    const rowsKey = this.measuredOn?.shown.rowsKey;
    const perplexity = (identity: string): JsonNumber | null =>
      (rowsKey === undefined ? undefined : this.runs.perplexity(identity, rowsKey)) ?? null;
    return familyOf(this.relatives, perplexity, (identity) => this.runs.retrained(identity));
  }

  private isRelative(path: string): boolean {
    const { parent, children } = this.state.family;
    return parent?.there?.path === path || children.some((child) => child.path === path);
  }

  private readonly jobs = (): PanelState['jobs'] =>
    this.services.sidecar.jobs
      // The first one waits for no other.
      .map((job, place) => ({ ...job, state: place === 0 ? ('running' as const) : job.state }))
      .filter(({ checkpoint }) => checkpoint === this.source.path)
      .map(({ id, kind, state, progress }) => ({ id, kind, state, ...(progress && { progress }) }));

  private planNow(): PanelState['plan'] {
    const { scores, settings } = this.services;
    return planOf(this.source, this.removed, this.history, settings(), scores.shown(this.planSubject));
  }

  private trainingNow(): PanelState['training'] {
    const { path, checkpoint } = this.source;
    return this.services.trainings.of(path, checkpoint.identity) ?? null;
  }

  private columns(): Column[] {
    return columnsOf(this.removed, this.adapters.adapters, this.relatives);
  }

  private choices(): PanelState['columns'] {
    return this.columns().map(({ source: _, ...choice }) => choice);
  }

  private prompts(): Pick<PanelState, 'prompts' | 'ownPrompts'> {
    const { all, own } = this.services.prompts;
    return { prompts: all, ownPrompts: own };
  }

  private settingsNow(): ResultsSession['settled'] {
    const { compute, recordFolders } = this.services.settings();
    return { computing: JSON.stringify(compute), files: JSON.stringify([this.usualText(), recordFolders]) };
  }

  private failureOf(error: unknown): UserFailure | undefined {
    return failureOf(error, (fault) => this.services.host.logError(fault));
  }

  /** Lists of runs are large, and the same object where they are the same: they are not looked into. */
  private updateWhatDiffers(changes: Partial<PanelState>): void {
    const different = Object.entries(changes).filter(([key, value]) => {
      const before = this.state[key as keyof PanelState];
      return value !== before && (key === 'runs' || JSON.stringify(value) !== JSON.stringify(before));
    });
    if (different.length > 0) this.update(Object.fromEntries(different));
  }

  private update(changes: Partial<PanelState>): void {
    this.state = { ...this.state, ...changes };
    this.post({ type: 'update', changes });
  }

  private post(message: Unnumbered<HostMessage>): void {
    if (!this.disposed) this.services.host.post({ sequence: ++this.sequence, ...message });
  }
}

/** @throws UserError where the text cannot be measured on */
function usable(measuredOn: MeasuredOn): MeasuredOn {
  const { name, fault } = measuredOn.shown;
  if (fault === undefined) return measuredOn;
  throw new UserError(
    l10n.t('Nothing can be measured on {0}', name),
    fault,
    l10n.t('Choose another text at the top of the panel, or score the blocks again.'),
  );
}
