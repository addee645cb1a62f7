/**
 * The host's side of one results panel: answers its messages and tells it what changes. Its parts hold the plan, the
 * text that is measured on, jobs and samples. Does not use VS Code.
 */
import type { ChatKind } from '../../engine/tokenizer/instruct';
import { requireTrusted } from '../../host/restricted';
import type { UserFailure } from '../../protocol/errors';
import type { NamedPlan, PanelJob, PanelMessage, PanelState } from '../../protocol/panel';
import type { JobEnded } from '../../sidecar/client';
import type { Subscription } from '../../sidecar/emitter';
import { jobsOf, modelOf, withTogether } from './facts';
import { failureOf } from './failures';
import { JourneyPart } from './journey-part';
import { JobsPart } from './jobs-part';
import { MeasuringPart } from './measuring-part';
import { handleMessage, type PanelParts, promptsOf } from './panel-messages';
import { PanelReading, type ReadState } from './panel-reading';
import { PanelStore } from './panel-store';
import { PlanPart } from './plan-part';
import { SampleRequests } from './sample-requests';
import type { PanelServices, PanelCheckpoint } from './services';
import { NOTHING_YET } from './what-if-watch';

export class ResultsSession {
  private disposed = false;
  /** The page has said that it is there. */
  private isReady = false;
  /** The run that its charts should draw, until the page is there. */
  private wanted: string | undefined;
  private readonly parts: PanelParts;
  private readonly subscriptions: readonly Subscription[];
  /** Settings that numbers depend on, and those that name files, as they were used last. */
  private used: { readonly computing: string; readonly files: string };

  constructor(
    private readonly source: PanelCheckpoint,
    private readonly services: PanelServices,
    chat: ChatKind,
  ) {
    const failure = (error: unknown): UserFailure | undefined => this.failureOf(error);
    const plan = new PlanPart(source, services);
    const reading = new PanelReading(source, services, (found) => this.noteReading(found));
    const store = new PanelStore(this.firstState(plan, reading, chat), (message) => services.host.post(message));
    const measuring = new MeasuringPart({
      source,
      services,
      store,
      reading,
      plan,
      refresh: () => this.refresh(),
      failed: (error) => failure(error)?.why ?? '',
      measured: () => this.showJourney(),
    });
    const jobs = new JobsPart({ source, services, reading, plan, measuring });
    const samples = new SampleRequests(services, store, failure);
    const journey = new JourneyPart(source, services, reading, plan);
    this.parts = { source, services, store, reading, plan, measuring, jobs, samples, journey };
    this.used = this.settingsNow();
    this.subscriptions = this.subscribe();
  }

  /** Handles a message of the panel, and shows what goes wrong in the panel. */
  async receive(message: PanelMessage): Promise<void> {
    await this.attempt(() => handleMessage(message, this.parts));
    if (message.type !== 'ready') return;
    this.isReady = true;
    this.showWanted();
  }

  /** Draws a run in its chart, once the page is there. */
  async showRun(id: string): Promise<void> {
    this.wanted = id;
    if (!this.isReady) return;
    await this.refresh();
    this.showWanted();
  }

  /** Reads runs, adapters and settings again. */
  refresh(): Promise<void> {
    return this.attempt(() => this.parts.reading.again());
  }

  /** Drops numbers that were computed on another device or on other rows. */
  settingsChanged(): void {
    const { computing, files } = this.used;
    this.used = this.settingsNow();
    if (this.used.computing !== computing) this.parts.measuring.restart();
    this.parts.store.updateWhatDiffers({ plan: this.parts.plan.now() });
    if (this.used.files !== files) void this.refresh();
  }

  /** Handles that the user trusts the workspace. */
  trusted(): void {
    this.parts.store.update({ trusted: true });
    this.settingsChanged();
    this.parts.measuring.begin();
  }

  /** Whether the checkpoint's files were there when they were looked for last. */
  get isThere(): boolean {
    return !this.parts.store.state.missing;
  }

  found(isThere: boolean): void {
    this.parts.store.updateWhatDiffers({ missing: !isThere });
  }

  /** Sends nothing and receives nothing from now on: another session may serve the panel. */
  dispose(): void {
    this.disposed = true;
    this.parts.store.close();
    this.parts.measuring.dispose();
    // A text that was asked for is written to its end: its record is there when the panel opens again.
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  private showWanted(): void {
    if (this.wanted !== undefined) this.parts.store.post({ type: 'show', run: this.wanted }, {});
    this.wanted = undefined;
  }

  private firstState(plan: PlanPart, reading: PanelReading, chat: ChatKind): PanelState {
    return {
      model: modelOf(this.source),
      kin: { parent: null, original: null, children: [] },
      namedPlans: namedPlansOf(plan, reading, this.source),
      journey: new JourneyPart(this.source, this.services, reading, plan).now(),
      ways: null,
      times: this.services.host.times(this.source, plan.removed),
      text: null,
      plan: plan.now(),
      whatIf: NOTHING_YET,
      columns: choicesOf(reading, plan),
      runs: [],
      unreadable: [],
      jobs: this.jobsNow(),
      ...promptsOf(this.services),
      chat: chat.template,
      instruct: chat.instruct,
      training: this.trainingNow(),
      writing: null,
      comparison: null,
      failure: null,
      trusted: this.services.host.trusted(),
      missing: false,
    };
  }

  private jobsNow(): PanelJob[] {
    const { sidecar, host, together } = this.services;
    const { path } = this.source;
    return withTogether(
      path,
      jobsOf(path, sidecar, (file) => host.nameOf(file)),
      together.all,
    );
  }

  private subscribe(): Subscription[] {
    const { store, plan, reading } = this.parts;
    const { plans, namedPlans, goals, scores, sidecar, trainings, together } = this.services;
    const { path } = this.source;
    const showJobs = (): void => store.updateWhatDiffers({ jobs: this.jobsNow() });
    return [
      plans.onChange((changed) => changed === path && this.planChanged()),
      scores.onChange((changed) => {
        if (changed !== path) return;
        store.updateWhatDiffers({ plan: plan.now() });
        this.showJourney();
      }),
      namedPlans.onChange((changed) => {
        if (changed === path) store.updateWhatDiffers({ namedPlans: namedPlansOf(plan, reading, this.source) });
      }),
      goals.onChange((original) => original === reading.originalIdentity && this.showJourney()),
      sidecar.onJobs(showJobs),
      sidecar.onProgress(showJobs),
      together.onChange(showJobs),
      sidecar.onEnded((end) => void this.jobEnded(end)),
      trainings.listen(path, {
        changed: (training) => store.update({ training }),
        grown: (points, training) => store.post({ type: 'training', ...points }, { training }),
      }),
    ];
  }

  private async attempt(act: () => Promise<unknown>): Promise<void> {
    if (this.disposed) return;
    try {
      await act();
    } catch (error) {
      const failure = this.failureOf(error);
      if (failure) this.parts.store.update({ failure });
    }
  }

  private planChanged(): void {
    const { store, reading, plan, measuring } = this.parts;
    store.update({ plan: plan.now(), columns: choicesOf(reading, plan) });
    measuring.planChanged();
    this.showJourney();
  }

  private noteReading(found: ReadState): void {
    const { store, reading, plan, measuring } = this.parts;
    store.updateWhatDiffers({
      ...found,
      columns: choicesOf(reading, plan),
      plan: plan.now(),
      training: this.trainingNow(),
      namedPlans: namedPlansOf(plan, reading, this.source),
      ...promptsOf(this.services),
    });
    measuring.noteReading();
    this.showJourney();
  }

  /** Jobs will take another time than was said. */
  speedsChanged(): void {
    const { store, plan } = this.parts;
    store.updateWhatDiffers({ times: this.services.host.times(this.source, plan.removed) });
  }

  /** The step that comes next, the verdict, and how long things take. */
  private showJourney(): void {
    const { store, journey } = this.parts;
    this.speedsChanged();
    journey.show(store);
  }

  /** A run has left a record. What was written or trained is measured at once: its perplexity tells what that cost. */
  private async jobEnded(end: JobEnded): Promise<void> {
    await this.refresh();
    const { jobs } = this.parts;
    const adapter = jobs.trainedAdapter(end);
    const changed = adapter === undefined ? jobs.writtenModel(end) : { adapter };
    if (changed === undefined) return;
    await this.attempt(() => {
      requireTrusted(this.services.host.trusted());
      return jobs.evaluate(changed);
    });
  }

  private trainingNow(): PanelState['training'] {
    const { path, checkpoint } = this.source;
    return this.services.trainings.of(path, checkpoint.identity) ?? null;
  }

  private settingsNow(): ResultsSession['used'] {
    const { compute, recordFolders } = this.services.settings();
    return {
      computing: JSON.stringify(compute),
      files: JSON.stringify([this.parts.reading.usualText(), recordFolders]),
    };
  }

  private failureOf(error: unknown): UserFailure | undefined {
    return failureOf(error, (fault) => this.services.host.logError(fault));
  }
}

/** The named plans, with the perplexities that runs have measured on the panel's text. */
function namedPlansOf(plan: PlanPart, reading: PanelReading, { checkpoint }: PanelCheckpoint): NamedPlan[] {
  const rowsKey = reading.measuredOn?.shown.rowsKey;
  return plan.named.map(({ name, removed }) => ({
    name,
    removed,
    ppl: (rowsKey === undefined ? undefined : reading.runs.perplexity(checkpoint.identity, rowsKey, removed)) ?? null,
  }));
}

const choicesOf = (reading: PanelReading, plan: PlanPart): PanelState['columns'] =>
  reading.columns(plan.removed).map(({ source: _, ...choice }) => choice);
