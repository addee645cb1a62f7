/** What a panel reads from disk: runs, adapters, other checkpoints, and the text that it measures on. */
import { requireArchitecture } from '../../engine/checkpoint/open';
import type { JsonNumber } from '../../format/json';
import type { ComparedDigest, PanelKin, PanelState } from '../../protocol/panel';
import { type Changes, type Column, columnsOf, measuredColumns } from './columns';
import { kinOf } from './kin';
import { ADAPTERS, FittingList, PATCHES, WIDTHS } from './fitting-list';
import { isTrainedWithout } from '../../state/journey-facts';
import { type Origin, Origins } from '../../state/origins';
import { type MeasuredOn, PanelTexts, type ScoredRows, type TextSource } from './panel-texts';
import { Relatives } from './relatives';
import { RunList } from './run-list';
import type { PanelServices, PanelCheckpoint } from './services';

/** Parts of the panel's state that a reading gives. */
export type ReadState = Pick<PanelState, 'runs' | 'unreadable' | 'text' | 'kin'>;

/** A model that was made from the panel's one: its own path and name, and how it was made. */
export type Descendant = Omit<Origin, 'name'> & {
  readonly path: string;
  readonly name: string;
  /** Identity of its own files. */
  readonly own: string;
};

export class PanelReading {
  readonly runs: RunList;
  readonly texts: PanelTexts;
  private readonly fittingAdapters: FittingList;
  private readonly fittingPatches: FittingList;
  private readonly fittingWidths: FittingList;
  private readonly relatives: Relatives;
  private readonly origins = new Origins();
  private trained: ReadonlyMap<string, Origin> = new Map();
  private measured: MeasuredOn | undefined;
  /** Readings follow one another, so that an older one never overwrites a newer one. */
  private last: Promise<unknown> = Promise.resolve();

  /** @param done gets what a reading found, before the next one starts */
  constructor(
    private readonly source: PanelCheckpoint,
    private readonly services: Pick<PanelServices, 'host' | 'settings' | 'neighbours' | 'load'>,
    private readonly done: (found: ReadState) => void,
  ) {
    const { origins } = this;
    const nameOf = (file: string): string => services.host.nameOf(file);
    this.runs = new RunList(source, origins, nameOf);
    this.texts = new PanelTexts(nameOf, () => services.settings().inputFolders);
    this.relatives = new Relatives(source, services.load, origins);
    this.fittingAdapters = new FittingList(source.checkpoint, ADAPTERS);
    this.fittingPatches = new FittingList(source.checkpoint, PATCHES);
    this.fittingWidths = new FittingList(source.checkpoint, WIDTHS);
  }

  /** The text that is measured on; undefined until the first reading is done. */
  get measuredOn(): MeasuredOn | undefined {
    return this.measured;
  }

  /** Adapters that fit the checkpoint. */
  get adapters(): readonly string[] {
    return this.fittingAdapters.fitting;
  }

  /** The first adapter that was trained without these blocks. */
  adapterFor(removed: readonly number[]): string | undefined {
    return this.adapters.find((path) => isTrainedWithout(this.trained.get(path), removed));
  }

  /** What changes the checkpoint's weights without a checkpoint of its own. */
  private get changes(): Changes {
    return { adapters: this.adapters, patches: this.fittingPatches.fitting, widths: this.fittingWidths.fitting };
  }

  /** Resolves when the readings that have begun are done. */
  settled(): Promise<unknown> {
    return this.last;
  }

  /** Reads again. */
  again(): Promise<void> {
    const now = this.last.then(() => this.read());
    this.last = now.catch(() => undefined);
    return now;
  }

  /** The text of the settings, with rows no longer than the model's context. */
  usualText(): TextSource {
    const { calibration } = this.services.settings();
    const { context } = requireArchitecture(this.source.checkpoint);
    return { ...calibration, length: Math.min(calibration.length, context) };
  }

  /** The rows that this checkpoint was scored on; if it was not scored, those of the nearest ancestor that was. */
  scorings(): ScoredRows[] {
    for (const identity of [this.source.checkpoint.identity, ...this.relatives.ancestors]) {
      const rows = this.runs.scorings(identity);
      if (rows.length > 0) return rows;
    }
    return [];
  }

  /** Identity of the oldest known ancestor; its own if no record names another one. */
  get originalIdentity(): string {
    return this.relatives.originalIdentity;
  }

  /** How the checkpoint was made, and what was made from it, newest first. */
  get lineage(): { readonly origin: Origin | undefined; readonly children: readonly Descendant[] } {
    const { self, children } = this.relatives;
    return {
      origin: self.origin,
      children: children
        .map(({ path, name, identity, origin }) => ({ ...origin!, path, name, own: identity }))
        .sort((a, b) => b.finished.localeCompare(a.finished)),
    };
  }

  /** Models that can write. @param removed blocks of the plan */
  columns(removed: readonly number[]): Column[] {
    return columnsOf(removed, this.changes, this.relatives);
  }

  /** Models whose speed is worth comparing. @param removed blocks of the plan */
  measuredColumns(removed: readonly number[]): Column[] {
    return measuredColumns(removed, this.changes, this.relatives);
  }

  private async read(): Promise<void> {
    const { adapters, patches, widths, checkpoints } = this.services.neighbours();
    const { recordFolders, inputFolders } = this.services.settings();
    await Promise.all([
      this.fittingAdapters.refresh(adapters),
      this.fittingPatches.refresh(patches),
      this.fittingWidths.refresh(widths),
      this.relatives.refresh(checkpoints),
    ]);
    const trained = await Promise.all(this.adapters.map((path) => this.origins.of(path)));
    this.trained = new Map(this.adapters.flatMap((path, at) => (trained[at] ? [[path, trained[at]] as const] : [])));
    const { runs, unreadable } = await this.runs.read(recordFolders, inputFolders);
    this.measured = await this.texts.refresh(this.scorings(), this.usualText());
    this.done({ runs, unreadable, text: this.measured.shown, kin: this.kin() });
  }

  private kin(): PanelKin {
    const rowsKey = this.measured?.shown.rowsKey;
    const perplexity = (identity: string): JsonNumber | null =>
      (rowsKey === undefined ? undefined : this.runs.perplexity(identity, rowsKey)) ?? null;
    const compared = (identity: string): ComparedDigest | undefined =>
      rowsKey === undefined ? undefined : this.runs.compared(identity, rowsKey);
    const bitsPerByte = (identity: string): JsonNumber | undefined =>
      rowsKey === undefined ? undefined : this.runs.bitsPerByte(identity, rowsKey);
    const retrained = (identity: string): string[] => this.runs.retrained(identity);
    return kinOf(this.relatives, { perplexity, bitsPerByte, compared, retrained });
  }
}
