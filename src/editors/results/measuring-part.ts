/** The text that a panel measures on, and the perplexity of the plan on it. */
import { isDeepStrictEqual } from 'node:util';
import { UserError } from '../../engine/errors';
import { calibrationKey } from '../../engine/records/rows-key';
import { l10n } from '../../l10n';
import type { ViewPerplexity } from '../../protocol/short';
import type { PanelReading } from './panel-reading';
import type { PanelStore } from './panel-store';
import type { MeasuredOn, TextSource } from './panel-texts';
import type { PlanPart } from './plan-part';
import type { PanelServices, PanelCheckpoint } from './services';
import { type Known, type WhatIfQuestion, WhatIfWatch } from './what-if-watch';

export interface MeasuringOptions {
  readonly source: PanelCheckpoint;
  readonly services: Pick<PanelServices, 'host' | 'settings' | 'sidecar'>;
  readonly store: PanelStore;
  readonly reading: PanelReading;
  readonly plan: PlanPart;
  /** Reads again what is on disk, and shows what goes wrong. */
  readonly refresh: () => Promise<void>;
  /** Returns the message for an error. */
  readonly failed: (error: unknown) => string;
  /** Called when the perplexity of the plan has changed. */
  readonly measured: () => void;
}

export class MeasuringPart {
  private readonly watch: WhatIfWatch;
  /** The text at the last reading. */
  private noted: MeasuredOn | undefined;
  private disposed = false;
  private preparing: AbortController | undefined;

  constructor(private readonly options: MeasuringOptions) {
    const { store, failed, measured } = options;
    this.watch = new WhatIfWatch({
      ask: (question, signal) => this.ask(question, signal),
      changed: (whatIf) => {
        store.update({ whatIf });
        measured();
      },
      failed,
    });
  }

  /** Measures the plan if that was not done yet. */
  begin(): void {
    if (this.watch.state.status === 'idle') this.askPlan();
  }

  planChanged(): void {
    this.askPlan(true);
  }

  /** Starts over: numbers of other rows or of another device are dropped. */
  restart(): void {
    const asked = this.watch.state.status !== 'idle';
    this.watch.restart(this.knownPerplexity());
    this.askPlan(asked);
  }

  /** Takes the text of a new reading. */
  noteReading(): void {
    const before = this.noted;
    const now = (this.noted = this.options.reading.measuredOn);
    if (!isDeepStrictEqual(before?.source, now?.source) || before?.shown.fault !== now?.shown.fault) {
      this.restart();
      return;
    }
    const known = this.knownPerplexity();
    if (known) this.watch.know(known);
  }

  /** @throws UserError when the text has changed since it scored the blocks, or no reading succeeded */
  requireText(): MeasuredOn {
    const { measuredOn } = this.options.reading;
    if (measuredOn !== undefined) return usable(measuredOn);
    throw new UserError(
      l10n.t('Cannot measure {0}', this.options.source.path),
      l10n.t('the records and the text beside it could not be read'),
      l10n.t('Look at the log for the reason, then open the panel again.'),
    );
  }

  /** Asks the user for a text, and measures on it. */
  async chooseText(): Promise<void> {
    const { reading, services } = this.options;
    await reading.again();
    const known = await reading.texts.known(reading.scorings(), reading.usualText());
    const chosen = await services.host.chooseText(known.map(({ shown }) => shown));
    if (chosen === undefined) return;
    const source =
      typeof chosen === 'string'
        ? { ...reading.usualText(), file: chosen }
        : known.find(({ shown }) => shown.rowsKey === chosen.rowsKey)?.source;
    if (source) reading.texts.choose(source);
    await reading.again();
  }

  /**
   * Measures on the rows that a scoring used.
   * @throws UserError when the text of these rows has changed since it scored the blocks
   */
  async useText(rowsKey: string): Promise<void> {
    const { reading } = this.options;
    const text = await this.textOf(rowsKey);
    if (text) reading.texts.choose(text);
    await reading.again();
  }

  /**
   * The text of a scoring, and how its rows were drawn; undefined if no run has these rows.
   * @throws UserError when the text has changed since it scored the blocks
   */
  async textOf(rowsKey: string): Promise<TextSource | undefined> {
    const { reading } = this.options;
    const scoring = reading.scorings().find((each) => each.rowsKey === rowsKey);
    return scoring && usable(await reading.texts.ofScores(scoring, reading.usualText().file)).source;
  }

  /** Asks nothing from now on: a reading that ends later must not cancel requests of the panel's next session. */
  dispose(): void {
    this.disposed = true;
    this.preparing?.abort();
    this.watch.dispose();
  }

  /**
   * @param always measure even if the plan removes nothing, which gives the whole model's perplexity; otherwise that is
   *   measured only if there is a parent's perplexity to compare it with
   */
  private askPlan(always = false): void {
    if (this.disposed) return;
    const { plan, store, services } = this.options;
    const { removed } = plan;
    const compared = (store.state.kin.parent?.there?.ppl ?? null) !== null;
    if (!services.host.trusted()) return;
    this.preparing?.abort();
    if (always || compared || removed.length > 0) this.watch.planned(removed);
    else void this.prepare();
  }

  /** Lets the sidecar compute beforehand what the first plan is compared with. The first question tells what is wrong. */
  private async prepare(): Promise<void> {
    const { source, services, reading } = this.options;
    const { signal } = (this.preparing = new AbortController());
    try {
      await reading.settled();
      const { source: calibration } = this.requireText();
      const { compute } = services.settings();
      const whole = this.knownPerplexity() === undefined && { whole: true as const };
      const params = { ...compute, checkpoint: source.path, calibration, ...whole };
      const {
        seconds = 0,
        calibration: rows,
        whole: found,
      } = await services.sidecar.request('view/prepare', params, signal);
      const { name: text, rowsKey } = this.requireText().shown;
      if (signal.aborted || rows === undefined || rowsKey === undefined || calibrationKey(rows) !== rowsKey) return;
      this.watch.prepared(seconds, found && { full: found.ppl, text, rowsKey });
    } catch {
      // Nothing was asked for.
    }
  }

  private async ask({ remove, whole, quick }: WhatIfQuestion, signal: AbortSignal): Promise<ViewPerplexity> {
    const { source, services, reading, refresh } = this.options;
    await reading.settled(); // it decides which text is measured on
    signal.throwIfAborted();
    const { source: calibration, shown } = this.requireText();
    const { compute } = services.settings();
    const params = { ...compute, checkpoint: source.path, remove, whole, calibration, ...(quick && { quick }) };
    const answer = await services.sidecar.request('view/perplexity', params, signal);
    if (calibrationKey(answer.calibration) !== shown.rowsKey) void refresh(); // the text has changed meanwhile
    return { ...answer, calibration: { ...answer.calibration, source: shown.name } };
  }

  /** The whole model's perplexity on the panel's rows, if a run has measured it. */
  private knownPerplexity(): Known | undefined {
    const { source, reading } = this.options;
    const { rowsKey, fault, name } = reading.measuredOn?.shown ?? {};
    if (rowsKey === undefined || fault !== undefined || name === undefined) return undefined;
    const full = reading.runs.perplexity(source.checkpoint.identity, rowsKey);
    return full === undefined ? undefined : { full, text: name, rowsKey };
  }
}

/** @throws UserError when the text cannot be measured on */
function usable(measuredOn: MeasuredOn): MeasuredOn {
  const { name, fault } = measuredOn.shown;
  if (fault === undefined) return measuredOn;
  throw new UserError(
    l10n.t('Cannot measure on {0}', name),
    fault,
    l10n.t('Choose another text at the top of the panel, or score the blocks again.'),
  );
}
