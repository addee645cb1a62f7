/**
 * What a panel's perplexities are measured on: the rows of its newest scores, unless the user chooses others, and those of
 * the settings where nothing is scored. A text that is another one now than when it scored the blocks is not measured on.
 */
import { stat } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { UserError } from '../../engine/errors';
import { loadCalibration } from '../../engine/importance/calibration';
import { followPlace } from '../../engine/records/places';
import type { RunInput } from '../../engine/records/record';
import { calibrationKey, drawnRows } from '../../engine/records/rows-key';
import { readTextFile } from '../../engine/files/text-file';
import { l10n } from '../../l10n';
import type { CalibrationSource } from '../../protocol/jobs';
import type { PanelText } from '../../protocol/panel';

export type TextSource = Required<CalibrationSource>;

/** A scoring, as far as its rows matter. */
export interface ScoredRows {
  /** Of the run. */
  readonly id: string;
  readonly rowsKey: string;
  /** The text, with its place as seen from `folder`. */
  readonly input: RunInput;
  readonly folder: string;
}

/** A text that can be chosen. */
export interface MeasuredOn {
  readonly source: TextSource;
  readonly shown: PanelText;
}

const MAX_TEXT_BYTES = 64 * 2 ** 20;
/** What to do with a longer text. */
const useLess = (): string => l10n.t('Calibration needs a few thousand tokens. Use a part of the file.');

export class PanelTexts {
  private chosen: { readonly source: TextSource; readonly after: string | undefined } | undefined;
  private newest: string | undefined;
  private readonly keys = new Map<string, { readonly stamp: string; readonly key: string | undefined }>();

  /**
   * @param nameOf what the user calls a file
   * @param given files and folders below which a place that a record names may be opened
   */
  constructor(
    private readonly nameOf: (file: string) => string,
    private readonly given: () => readonly string[],
  ) {}

  /**
   * @param scorings newest first
   * @param setting of the settings, no longer than the model's context
   */
  async refresh(scorings: readonly ScoredRows[], setting: TextSource): Promise<MeasuredOn> {
    this.newest = scorings.at(0)?.id;
    if (this.chosen && this.chosen.after !== this.newest) this.chosen = undefined; // scored again since
    if (this.chosen) return this.measured(this.chosen.source, 'choice');
    const [newest] = scorings;
    return newest ? this.ofScores(newest, setting.file) : this.measured(setting, 'setting');
  }

  /** What can be chosen: the rows of every scoring, each once, and those of the settings. */
  async known(scorings: readonly ScoredRows[], setting: TextSource): Promise<MeasuredOn[]> {
    const different = scorings.filter(
      ({ rowsKey }, at) => scorings.findIndex((other) => other.rowsKey === rowsKey) === at,
    );
    const found = await Promise.all([
      ...different.map((scoring) => this.ofScores(scoring, setting.file)),
      this.measured(setting, 'setting'),
    ]);
    const usable = found.filter(({ shown }) => shown.fault === undefined);
    return usable.filter(({ shown }, at) => usable.findIndex((other) => other.shown.rowsKey === shown.rowsKey) === at);
  }

  /** From now on this is measured on, until the blocks are scored again. */
  choose(source: TextSource): void {
    this.chosen = { source, after: this.newest };
  }

  /** @param other where the text may lie as well: a record says where it lay, if it says so at all */
  async ofScores({ rowsKey, input, folder }: ScoredRows, other: string): Promise<MeasuredOn> {
    const { samples, length, seed } = drawnRows(rowsKey)!;
    const rows = { samples, length, seed };
    const place = input.place === undefined ? undefined : resolve(folder, input.place);
    const isOutside = place !== undefined && (await followPlace(place, folder, this.given())) === 'outside';
    for (const file of place === undefined || isOutside ? [other] : [place, other]) {
      const source = { file, ...rows };
      if ((await this.keyOf(source).catch(asUnreadable)) !== rowsKey) continue;
      return { source, shown: { name: this.nameOf(file), ...rows, from: 'scores', rowsKey } };
    }
    const name = place === undefined ? input.name : this.nameOf(place);
    const isThere = place !== undefined && !isOutside && (await stat(place).catch(() => undefined)) !== undefined;
    const fault =
      place === undefined
        ? l10n.t('the record of the scores has no path for {0}', name)
        : isOutside
          ? l10n.t('{0} is outside the workspace, and Coppice does not open paths from a record there', name)
          : isThere
            ? l10n.t('{0} has changed since the blocks were scored', name)
            : l10n.t('{0} is no longer there', name);
    return { source: { file: place ?? input.name, ...rows }, shown: { name, ...rows, from: 'scores', rowsKey, fault } };
  }

  private async measured(source: TextSource, from: PanelText['from']): Promise<MeasuredOn> {
    const { file, ...rows } = source;
    const shown = { name: this.nameOf(file), ...rows, from };
    try {
      const rowsKey = await this.keyOf(source);
      const drawn = rowsKey === undefined ? undefined : drawnRows(rowsKey);
      const { samples, length } = drawn ?? rows; // a file of rows has its own
      return { source, shown: { ...shown, samples, length, ...(rowsKey !== undefined && { rowsKey }) } };
    } catch (error) {
      if (error instanceof UserError) return { source, shown: { ...shown, fault: `${error.what}: ${error.why}` } };
      throw error;
    }
  }

  /** The name of the rows, as a run on them would have it. @throws UserError when the text cannot be read */
  private async keyOf(source: TextSource): Promise<string | undefined> {
    const { file } = source;
    const found = await stat(file).catch(() => undefined);
    const stamp = found?.isFile() ? `${found.size} ${found.mtimeMs}` : undefined;
    const known = this.keys.get(JSON.stringify(source));
    if (stamp !== undefined && known?.stamp === stamp) return known.key;
    // Rows of a text depend on its tokenizer, but their name does not; a file of rows says itself how many they are.
    const drawn =
      extname(file).toLowerCase() === '.json'
        ? await loadCalibration(file, source, undefined)
        : { ...source, sha256: (await readTextFile(file, MAX_TEXT_BYTES, useLess())).sha256 };
    const key = calibrationKey(drawn);
    if (stamp !== undefined) this.keys.set(JSON.stringify(source), { stamp, key });
    return key;
  }
}

function asUnreadable(error: unknown): undefined {
  if (error instanceof UserError) return undefined;
  throw error;
}
