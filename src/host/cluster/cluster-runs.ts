/**
 * Runs of jobs on a cluster. Each is in the list of jobs while it goes on, and is kept with the workspace until it has
 * ended: a window that was closed meanwhile finds it again. Does not use VS Code.
 */
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Consent } from '../../cluster/consent';
import { type ClusterRun, partsFolder, readRun } from '../../cluster/folder';
import { CancelledError, UserError } from '../../engine/errors';
import { isObject } from '../../format/json';
import { l10n } from '../../l10n';
import { completeOptions, optionsIn } from '../../jobs/complete';
import type { Fault } from '../../jobs/define';
import { JOBS } from '../../jobs/definitions';
import { CUT_FAULTS } from '../../jobs/parts/faults';
import { type CutKind, isCutKind, isShared } from '../../jobs/parts/part-record';
import type { JobKind, JobOutcome, JobSpec, ProgressInfo } from '../../protocol/jobs';
import type { AttendedWork } from '../../sidecar/elsewhere';
import type { JobRunOptions, SidecarClient } from '../../sidecar/client';
import { failedParts, Looks, PartsFailed, progressOf } from '../../state/words/cluster-looks';
import { sharedTexts } from './cluster-texts';
import type { ClusterSettings } from '../../state/cluster-settings';
import type { Memento } from '../../state/memento';

/** A run that has not ended, as the workspace keeps it. */
export interface KeptRun {
  /** Of the run on the cluster, absolute. */
  readonly folder: string;
  readonly spec: JobSpec;
  readonly parts: number;
  /** The step that it is of. */
  readonly step?: RecipePlace;
  /** The user knows that parts of it failed: it waits until it is run again. */
  readonly failed?: true;
}

export interface RecipePlace {
  readonly recipe: string;
  readonly step: string;
}

export interface ClusterRequest {
  readonly settings: ClusterSettings;
  readonly parts: number;
  readonly step?: RecipePlace;
}

export interface ClusterRunOptions extends Pick<JobRunOptions<JobKind>, 'signal' | 'onProgress' | 'onQueued'> {
  /** Receives the folder once the run is on its way. */
  readonly onFolder?: (folder: string) => void;
}

interface Host {
  readonly sidecar: Pick<SidecarClient, 'attend' | 'request'>;
  readonly store: Memento;
  /** Of the extension: no machine of a cluster has it. */
  readonly ownFolder: string;
  /** Asks whether what a run starts, which somebody else may have written, is to be started again. */
  readonly agrees: Consent;
  readonly log: { info(text: string): void; warn(text: string): void };
}

const KEY = 'clusterRuns';
const MAX_KEPT = 50;
/** Between two looks at the folder. */
const LOOK_MS = 2000;
export class ClusterRuns {
  private kept: readonly KeptRun[];
  /** Folders of runs that this window watches. */
  private readonly watched = new Set<string>();
  private readonly closing = new AbortController();

  constructor(private readonly host: Host) {
    const stored = host.store.get(KEY);
    this.kept = Array.isArray(stored) ? stored.filter(isKept) : [];
  }

  /** Runs that had not ended when the workspace was closed, and that nobody watches yet. */
  get left(): readonly KeptRun[] {
    return this.kept.filter(({ folder }) => !this.watched.has(folder));
  }

  /**
   * Runs a job on the cluster, or goes on with the same one that this workspace left: parts that failed run again.
   * @throws UserError for a job that cannot be cut, and when the scheduler refuses; PartsFailed; CancelledError
   */
  async run<S extends JobSpec>(
    spec: S,
    request: ClusterRequest,
    { onFolder, ...options }: ClusterRunOptions = {},
  ): Promise<JobOutcome<S['kind']>> {
    requireCut(spec);
    const left = this.kept.find((each) => isSame(each, spec, request));
    if (left && this.watched.has(left.folder)) throw runsAlready();
    return this.watch(spec, options, async () => {
      const going = left && (await this.goOn(left, request.settings));
      const run = going ?? (await this.begin(spec, request));
      onFolder?.(run.folder);
      return run;
    });
  }

  /** Goes on with a run that this workspace left. @throws UserError, PartsFailed, CancelledError */
  async takeUp(kept: KeptRun, { onFolder, ...options }: ClusterRunOptions = {}, again = false): Promise<JobOutcome> {
    if (this.watched.has(kept.folder)) throw runsAlready();
    return this.watch(kept.spec, options, async () => {
      onFolder?.(kept.folder);
      if (!again) return kept;
      const going = await this.goOn(kept);
      if (going) return going;
      throw new UserError(
        l10n.t('The run on the cluster is gone'),
        l10n.t('its folder {0} is not there any more', kept.folder),
        l10n.t('Run it again.'),
      );
    });
  }

  /** Forgets a run of which parts failed. Its folder stays. */
  forgetFailed(folder: string): void {
    const run = this.left.find((each) => each.folder === folder && each.failed);
    if (run) this.forget(run);
  }

  /** Stops watching. The runs go on. */
  dispose(): void {
    this.closing.abort();
  }

  private watch<S extends JobSpec>(
    spec: S,
    options: Omit<ClusterRunOptions, 'onFolder'>,
    start: () => Promise<KeptRun>,
  ): Promise<JobOutcome<S['kind']>> {
    const work: AttendedWork<S['kind']> = async ({ signal, onProgress }) => {
      onProgress(preparing(l10n.t('submitting to the cluster')));
      const run = await start();
      this.watched.add(run.folder);
      try {
        await this.end(run, signal, onProgress);
        onProgress(preparing(l10n.t('merging the parts')));
        // The parts are whole, so that a gather that fails now fails again: the run is over.
        this.forget(run);
        return await this.host.sidecar.request('parts/gather', { folder: partsFolder(run.folder), spec }, signal);
      } catch (error) {
        if (error instanceof PartsFailed) this.keep([...this.others(run), { ...run, failed: true }]);
        throw error;
      } finally {
        this.watched.delete(run.folder);
      }
    };
    return this.host.sidecar.attend(spec, work, options);
  }

  private async begin(spec: JobSpec, request: ClusterRequest): Promise<KeptRun> {
    const { settings, parts, step } = request;
    const { kind } = spec;
    const options = await sharedTexts(JOBS[kind], optionsIn(spec), this.host.ownFolder, settings.folder);
    const folder = join(settings.folder, nameOf(kind));
    const { scheduler, asked, command } = settings;
    const { submitRun } = await import('../../cluster/submit');
    await submitRun({ kind: kind as CutKind, options, parts, folder, scheduler, asked, command });
    this.host.log.info(`${kind} of ${parts} parts is on its way: ${folder}`);
    const kept: KeptRun = { folder, spec, parts, ...(step && { step }) };
    this.keep([...this.kept.filter((each) => !isSame(each, spec, request)), kept]);
    return kept;
  }

  /** @returns undefined if the folder is gone, or its run is for a cluster as the settings described it before */
  private async goOn(kept: KeptRun, settings?: ClusterSettings): Promise<KeptRun | undefined> {
    const run = await runIn(kept.folder);
    if (!run || (settings && !isFor(run, settings))) {
      this.forget(kept);
      return undefined;
    }
    const { statusOf } = await import('../../cluster/status');
    const { counts } = await statusOf(kept.folder);
    if (counts.failed > 0) {
      const { resubmitFailed } = await import('../../cluster/submit');
      await resubmitFailed(kept.folder, this.host.agrees);
    }
    const { failed: _, ...going } = kept;
    this.keep([...this.others(kept), going]);
    return going;
  }

  /** Waits until every part has its record. */
  private async end(run: KeptRun, signal: AbortSignal, tell: (progress: ProgressInfo) => void): Promise<void> {
    const looks = new Looks(run.folder);
    for (;;) {
      const status = await looks.next((why) => this.host.log.warn(`${run.folder} cannot be read: ${why}`));
      if (status) {
        const { done, running, waiting } = status.counts;
        if (done === status.parts.length) return;
        if (looks.isSure && running + waiting === 0) throw failedParts(run.folder, status);
        tell(progressOf(status));
      }
      await this.pause(signal, run);
    }
  }

  private async pause(signal: AbortSignal, run: KeptRun): Promise<void> {
    const { signal: closing } = this.closing;
    const either = AbortSignal.any([signal, closing]);
    await new Promise<void>((go) => {
      const timer = setTimeout(go, LOOK_MS);
      const now = (): void => {
        clearTimeout(timer);
        go();
      };
      if (either.aborted) now();
      else either.addEventListener('abort', now, { once: true });
    });
    if (closing.aborted) throw new CancelledError(); // the run goes on
    if (!signal.aborted) return;
    this.forget(run);
    const { cancelRun } = await import('../../cluster/submit');
    await cancelRun(run.folder);
    throw new CancelledError();
  }

  private forget(run: KeptRun): void {
    this.keep(this.others(run));
  }

  private others({ folder }: KeptRun): readonly KeptRun[] {
    return this.kept.filter((each) => each.folder !== folder);
  }

  private keep(runs: readonly KeptRun[]): void {
    this.kept = runs.slice(-MAX_KEPT);
    void this.host.store.update(KEY, this.kept);
  }
}

/** @throws UserError for a job, or options, whose work cannot be cut */
export function requireCut({ kind, ...rest }: JobSpec): void {
  if (!isCutKind(kind) || isShared(kind)) {
    throw new UserError(
      l10n.t('This job cannot run on a cluster'),
      l10n.t('its work cannot be cut into parts'),
      l10n.t('Run it on this machine.'),
    );
  }
  const options = completeOptions(JOBS[kind], optionsIn(rest));
  const fault = (CUT_FAULTS[kind] as ((options: object) => Fault | undefined) | undefined)?.(options);
  if (fault) throw new UserError(fault.what, fault.why, fault.action);
}

const runsAlready = (): UserError =>
  new UserError(
    l10n.t('This job runs on the cluster already'),
    l10n.t('it is in the list of jobs'),
    l10n.t('Wait for its end, or cancel it.'),
  );

const preparing = (label: string): ProgressInfo => ({ label, done: 0, total: 0, unit: 'share' });

/** A name that sorts by time: "20260401T093000Z-score-3fa2". */
function nameOf(kind: JobKind): string {
  const stamp = new Date()
    .toISOString()
    .replace(/[-:]/g, '')
    .replace(/\.\d+Z$/, 'Z');
  return `${stamp}-${kind}-${Math.random().toString(16).slice(2, 6)}`;
}

const runIn = (folder: string): Promise<ClusterRun | undefined> => readRun(folder).catch(() => undefined);

const isFor = ({ scheduler, command, asked }: ClusterRun, settings: ClusterSettings): boolean =>
  scheduler === settings.scheduler && isDeepStrictEqual([command, asked], [settings.command, settings.asked]);

function isSame(kept: KeptRun, spec: JobSpec, { parts, step }: ClusterRequest): boolean {
  return wordsOf(kept) === wordsOf({ spec, parts, step });
}

/** The options of a run, in an order that does not depend on who gave them. */
const wordsOf = ({ spec, parts, step }: Pick<KeptRun, 'spec' | 'parts' | 'step'>): string =>
  JSON.stringify([
    spec.kind,
    parts,
    step?.recipe,
    step?.step,
    Object.entries(optionsIn(spec)).filter(isGiven).sort(byName),
  ]);

const isGiven = ([, value]: [string, unknown]): boolean => value !== undefined;
const byName = ([a]: [string, unknown], [b]: [string, unknown]): number => (a < b ? -1 : 1);

/** Other versions may have stored other jobs. */
function isKept(value: unknown): value is KeptRun {
  if (!isObject(value) || typeof value.folder !== 'string' || typeof value.parts !== 'number') return false;
  const { spec, step } = value;
  if (!isObject(spec) || typeof spec.kind !== 'string' || !isCutKind(spec.kind)) return false;
  if (step !== undefined && !(isObject(step) && typeof step.recipe === 'string' && typeof step.step === 'string'))
    return false;
  try {
    completeOptions(JOBS[spec.kind], optionsIn(spec));
    return true;
  } catch {
    return false;
  }
}
