/**
 * The text of a panel's perplexities: the rows of the newest scores, or those that the user chooses, or those of the
 * settings if no block is scored. A text that has changed since it scored the blocks is not used.
 */
import { stat } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { splitIn, withShare } from '../../format/text-share';
import { hashText } from '../../engine/application/read';
import { UserError } from '../../engine/errors';
import { loadCalibration } from '../../engine/importance/calibration';
import { followPlace } from '../../engine/records/places';
import type { RunInput } from '../../engine/records/record';
import { calibrationKey, drawnRows } from '../../engine/records/rows-key';
import { shownText } from '../../engine/option-token';
import { readTextFile } from '../../engine/files/text-file';
import { l10n } from '../../l10n';
import type { CompleteSource } from '../../protocol/jobs';
import type { PanelText } from '../../protocol/panel';

export type TextSource = CompleteSource;

/** The rows of a scoring. */
export interface ScoredRows {
  /** Id of the run. */
  readonly id: string;
  readonly rowsKey: string;
  /** The text, with a path relative to `folder`. */
  readonly input: RunInput;
  readonly folder: string;
}

/** A text to choose from. */
export interface MeasuredOn {
  readonly source: TextSource;
  readonly shown: PanelText;
}

const MAX_TEXT_BYTES = 64 * 2 ** 20;
/** Advice for a text that is too long. */
const useLess = (): string => l10n.t('Calibration needs a few thousand tokens. Use a part of the file.');

export class PanelTexts {
  private chosen: { readonly source: TextSource; readonly after: string | undefined } | undefined;
  private newest: string | undefined;
  private readonly keys = new Map<string, { readonly stamp: string; readonly key: string | undefined }>();

  /**
   * @param nameOf the name of a file for the user
   * @param given files and folders in which a path from a record may be opened
   */
  constructor(
    private readonly nameOf: (file: string) => string,
    private readonly given: () => readonly string[],
  ) {}

  /**
   * @param scorings newest first
   * @param setting the text of the settings, no longer than the model's context
   */
  async refresh(scorings: readonly ScoredRows[], setting: TextSource): Promise<MeasuredOn> {
    this.newest = scorings.at(0)?.id;
    if (this.chosen && this.chosen.after !== this.newest) this.chosen = undefined; // the blocks were scored again
    if (this.chosen) return this.measured(this.chosen.source, 'choice');
    const [newest] = scorings;
    return newest ? this.ofScores(newest, setting.file) : this.measured(setting, 'setting');
  }

  /** The texts to choose from: the rows of every scoring, each once, and those of the settings. */
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

  /** Uses this text until the blocks are scored again. */
  choose(source: TextSource): void {
    this.chosen = { source, after: this.newest };
  }

  /** Finds the text of a scoring. @param other another possible path, because the recorded one may be old or missing */
  async ofScores({ rowsKey, input, folder }: ScoredRows, other: string): Promise<MeasuredOn> {
    const { sha256: _, share, ...drawn } = drawnRows(rowsKey)!;
    const rows = { ...drawn, ...withShare(share) };
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
      const { samples, length } = drawn ?? rows; // a file of rows has its own numbers
      return { source, shown: { ...shown, samples, length, ...(rowsKey !== undefined && { rowsKey }) } };
    } catch (error) {
      if (error instanceof UserError)
        return { source, shown: { ...shown, fault: shownText(`${error.what}: ${error.why}`) } };
      throw error;
    }
  }

  /** The key of the rows, as in a run's record. @throws UserError when the text cannot be read */
  private async keyOf(source: TextSource): Promise<string | undefined> {
    const { file } = source;
    const found = await stat(file).catch(() => undefined);
    const stamp = found?.isFile() ? `${found.size} ${found.mtimeMs}` : undefined;
    const known = this.keys.get(JSON.stringify(source));
    if (stamp !== undefined && known?.stamp === stamp) return known.key;
    // The rows of a text depend on the tokenizer, but their key does not. A file of rows has its own number of rows.
    const drawn =
      extname(file).toLowerCase() === '.json' && splitIn(source.share) === undefined
        ? await loadCalibration(file, source, undefined)
        : {
            ...source,
            sha256: await this.hashOf(source),
            usualBos: (source.bos ?? 'auto') === 'auto',
          };
    const key = calibrationKey(drawn);
    if (stamp !== undefined) this.keys.set(JSON.stringify(source), { stamp, key });
    return key;
  }

  private async hashOf({ file, share }: TextSource): Promise<string> {
    if (splitIn(share) !== undefined) return hashText(file, share);
    return (await readTextFile(file, MAX_TEXT_BYTES, useLess())).sha256;
  }
}

function asUnreadable(error: unknown): undefined {
  if (error instanceof UserError) return undefined;
  throw error;
}
