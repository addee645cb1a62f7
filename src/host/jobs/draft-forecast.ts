/** A forecast of drafts, to act on: what the job of the best draft alone was given, and the pair that it wrote. */
import { basename, dirname, resolve } from 'node:path';
import * as vscode from 'vscode';
import { UserError } from '../../engine/errors';
import type { DraftDigest } from '../../engine/records/digest-types';
import { draft } from '../../jobs/definitions/draft';
import { digestRecord } from '../../jobs/digest/digest';
import type { GivenFor } from '../../jobs/kinds';
import { type Read, readResult } from '../../jobs/read-result';
import type { DraftResult } from '../../jobs/results/draft';
import { SELF } from '../../jobs/healing-amounts';
import type { Coppice } from '../coppice';
import { optionsOf, recordedRun, type RecordedRun } from './recorded-run';

/** Options that do not name a draft. */
const AROUND = [
  ...(['for', 'prompts', 'chat', 'heldOut', 'maxNewTokens', 'temperature', 'targetType', 'costs', 'bos'] as const),
  ...(['consumers', 'consumersFrom'] as const),
];
/** Those that do. */
const NAMING = ['drafts', 'remove', 'heal', 'type'] as const;

export type DraftGiven = Partial<Pick<GivenFor<'draft'>, (typeof AROUND)[number] | (typeof NAMING)[number]>>;

export interface DraftForecast {
  /** What forecasts the best draft alone, on the same text. */
  readonly given: DraftGiven;
  readonly digest: DraftDigest;
  /** Bytes of the draft's weights; undefined if the record does not tell. */
  readonly bytes?: number;
}

/**
 * Reads the record of a forecast.
 * @param run id of the record
 * @throws UserError where it has gone, is none, has no draft, or its files may not be read or have gone
 */
export async function draftForecast(coppice: Coppice, run: string): Promise<DraftForecast> {
  const found = await forecastRun(coppice, run);
  const { chosen } = readResult('draft', found.record.results);
  const { options, gone } = await optionsOf(coppice, found, draft, [...AROUND, ...NAMING]);
  if (!found.record.options || !chosen) throw noForecast(run);
  const { drafts, remove: _, heal, type: __, ...around } = options as DraftGiven;
  const named = namedDraft(chosen, { drafts, heal });
  if (gone.length > 0) throw filesGone(gone);
  return { given: { ...around, ...named }, digest: found.digest, bytes: chosen.bytes };
}

/** The options that name the best draft. @param given those of the forecast, with absolute paths */
function namedDraft(
  { model, removed = [], type, healed = false }: NonNullable<Read<DraftResult['chosen']>>,
  { drafts = [], heal }: Pick<DraftGiven, 'drafts' | 'heal'>,
): Pick<DraftGiven, (typeof NAMING)[number]> {
  // The result has the path as it was given, which may have been relative to another folder.
  if (typeof model === 'string')
    return { drafts: [drafts.find((path) => basename(path) === basename(model)) ?? model] };
  return {
    ...(removed.length > 0 && { remove: removed }),
    ...(healed && { heal: heal ?? SELF }),
    ...(type !== undefined && type !== 'stored' && { type }),
  };
}

/** The folder of the pair that a run wrote: an absolute path. @throws UserError where the run wrote none */
export async function writtenPair(coppice: Coppice, run: string): Promise<string> {
  const { file, record } = await forecastRun(coppice, run);
  const { out } = readResult('draft', record.results);
  if (typeof out === 'string') return resolve(dirname(file), out);
  throw noForecast(run);
}

async function forecastRun(coppice: Coppice, run: string): Promise<RecordedRun & { readonly digest: DraftDigest }> {
  const found = await recordedRun(coppice, run);
  const digest = found && digestRecord(found.record).draft;
  if (!found || !digest) throw noForecast(run);
  return { ...found, digest };
}

const noForecast = (run: string): UserError =>
  new UserError(
    vscode.l10n.t('{0} cannot be acted on', run),
    vscode.l10n.t('it is not a forecast with a draft, or it has gone'),
    vscode.l10n.t('Run “Coppice: {0}”.', vscode.l10n.t('Forecast a Draft…')),
  );

const filesGone = (names: readonly string[]): UserError =>
  new UserError(
    vscode.l10n.t('The files of the forecast cannot be read'),
    vscode.l10n.t('{0} has gone, or lies outside the workspace and was not chosen in it', names.join(', ')),
    vscode.l10n.t('Run “Coppice: {0}” again.', vscode.l10n.t('Forecast a Draft…')),
  );
