/** The setting `coppice.cluster`: who runs the parts of a job, and where. Does not use VS Code. */
import { isAbsolute } from 'node:path';
import { SCHEDULERS, type SchedulerName } from '../cluster/folder';
import { UserError } from '../engine/errors';
import { MAX_PARTS } from '../engine/parts/part';
import { isObject, type JsonObject } from '../format/json';
import { l10n } from '../l10n';

/** How jobs run on the cluster. */
export interface ClusterSettings {
  readonly scheduler: SchedulerName;
  /** For the folders of runs, absolute; the machines of the cluster see it under the same path. */
  readonly folder: string;
  /** Words that start Coppice on a machine of the cluster. */
  readonly command: readonly string[];
  /** Parts of a job, if nobody says another number. */
  readonly parts: number;
  /** Options of the scheduler. */
  readonly asked: Readonly<Record<string, string>>;
}

export const DEFAULT_PARTS = 8;
const DEFAULT_COMMAND = ['coppice'];
const FIELDS = ['scheduler', 'folder', 'command', 'parts', 'options'];

/**
 * @param value of the setting
 * @returns undefined where there is no cluster
 * @throws UserError for a value that describes none
 */
export function clusterSettingsOf(value: unknown): ClusterSettings | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isObject(value)) throw wrong(l10n.t('it is not an object'));
  const unknown = Object.keys(value).find((name) => !FIELDS.includes(name));
  if (unknown !== undefined) throw wrong(l10n.t('it has no field “{0}”', unknown));
  return {
    scheduler: schedulerOf(value),
    folder: folderOf(value),
    command: commandOf(value),
    parts: partsOf(value),
    asked: askedOf(value),
  };
}

/** @throws UserError where there is no cluster */
export function requireCluster(settings: ClusterSettings | undefined): ClusterSettings {
  if (settings) return settings;
  throw new UserError(
    l10n.t('There is no cluster'),
    l10n.t('the setting “coppice.cluster” is empty'),
    l10n.t('Describe your cluster there.'),
  );
}

function wrong(why: string): UserError {
  return new UserError(
    l10n.t('The setting “coppice.cluster” cannot be used'),
    why,
    l10n.t('Change it in the settings of VS Code.'),
  );
}

function schedulerOf({ scheduler }: JsonObject): SchedulerName {
  const found = SCHEDULERS.find((name) => name === scheduler);
  if (found) return found;
  throw wrong(l10n.t('“{0}” must be one of {1}', 'scheduler', SCHEDULERS.join(', ')));
}

function folderOf({ folder }: JsonObject): string {
  if (typeof folder === 'string' && isAbsolute(folder)) return folder;
  throw wrong(l10n.t('“{0}” must be an absolute path', 'folder'));
}

function commandOf({ command = DEFAULT_COMMAND }: JsonObject): string[] {
  const isWord = (word: unknown): word is string => typeof word === 'string' && word !== '';
  if (Array.isArray(command) && command.length > 0 && command.every(isWord)) return [...command];
  throw wrong(l10n.t('“{0}” must be a list of words', 'command'));
}

function partsOf({ parts = DEFAULT_PARTS }: JsonObject): number {
  if (typeof parts === 'number' && Number.isSafeInteger(parts) && parts >= 1 && parts <= MAX_PARTS) return parts;
  throw wrong(l10n.t('“{0}” must be a whole number from {1} to {2}', 'parts', 1, MAX_PARTS));
}

/** Numbers are texts of the scheduler's command line too. */
function askedOf({ options = {} }: JsonObject): Record<string, string> {
  const isValue = (value: unknown): boolean => typeof value === 'string' || typeof value === 'number';
  if (isObject(options) && Object.values(options).every(isValue))
    return Object.fromEntries(Object.entries(options).map(([name, value]) => [name, String(value)]));
  throw wrong(l10n.t('“{0}” must be an object of texts and numbers', 'options'));
}
