/** The editor's names for options and commands in messages of the engine. */
import { type CommandName, type OptionName, type OptionNaming, set, valueOf } from '../engine/option-token';
import type { AnyJob } from '../jobs/define';
import { JOBS } from '../jobs/definitions';
import { settingsByOption } from '../jobs/settings';
import { l10n } from '../l10n';

/** Settings by the option that they are the default of; the record's folder takes the place of its file. */
const SETTINGS: ReadonlyMap<string, string> = new Map([...settingsByOption(), ['record', 'coppice.runsFolder']]);

/** Names of the other options, which a command asks for or takes as arguments: by job and option, and by option. */
const NOUNS: ReadonlyMap<string, () => string> = nounsOf(Object.values(JOBS));

function nounsOf(jobs: readonly AnyJob[]): Map<string, () => string> {
  const nouns = new Map<string, () => string>();
  for (const { kind, options } of jobs) {
    for (const [name, { noun }] of Object.entries(options)) {
      if (noun === undefined) continue;
      nouns.set(`${kind}.${name}`, noun);
      if (!nouns.has(name)) nouns.set(name, noun);
    }
  }
  return nouns;
}

/** Titles of commands, as in the Command Palette. */
export const COMMAND_TITLES: Readonly<
  Record<Exclude<CommandName, 'inspect' | 'fetch-tasks' | 'gather' | 'width'>, () => string>
> = {
  experts: () => l10n.t('Drop Experts…'),
  export: () => l10n.t('Export for an Application…'),
  heal: () => l10n.t('Heal Checkpoint…'),
  iterate: () => l10n.t('Prune Iteratively…'),
  merge: () => l10n.t('Merge LoRA Adapter…'),
  retrain: () => l10n.t('Retrain with LoRA…'),
  score: () => l10n.t('Score Blocks…'),
  vocabulary: () => l10n.t('Trim Vocabulary…'),
};

/** What a command line has in place of a value: FILE, DIR. The editor asks for the value. */
const PLACEHOLDER = /^[A-Z]+$/;

/** The editor's naming. */
export const EDITOR_NAMING: OptionNaming = {
  option(name, value) {
    const noun = nounOf(name);
    if (value === 'false') return l10n.t('turning {0} off', noun);
    return value === undefined || PLACEHOLDER.test(value) ? noun : l10n.t('{0} {1}', noun, value);
  },

  set(name, value) {
    if (name === 'resume') return l10n.t('resume');
    const noun = nounOf(name);
    if (value === 'true') return l10n.t('turn {0} on', noun);
    return value === 'false' ? l10n.t('turn {0} off', noun) : l10n.t('set {0} to {1}', noun, value);
  },

  command(name) {
    if (name === 'inspect') return l10n.t('the Coppice view');
    if (name === 'fetch-tasks') return l10n.t('the download of data sets');
    if (name === 'gather') return l10n.t('`coppice gather` on the command line');
    if (name === 'width') return l10n.t('`coppice width` on the command line');
    return l10n.t('“Coppice: {0}”', COMMAND_TITLES[name]());
  },

  value: (_kind, text) => text,
};

function nounOf(name: OptionName): string {
  const setting = SETTINGS.get(name);
  if (setting !== undefined) return l10n.t('“{0}”', settingTitle(setting));
  return NOUNS.get(name)?.() ?? l10n.t('the argument “{0}”', name);
}

/**
 * The title of a setting as the Settings editor derives it from the key, which it does not translate:
 * "coppice.calibration.samples" → "Coppice › Calibration: Samples".
 */
export function settingTitle(key: string): string {
  const parts = key
    .split('.')
    .map((part) => part.replace(/(?<=[a-z])[A-Z]/g, ' $&').replace(/^./, (first) => first.toUpperCase()));
  return `${parts.slice(0, -1).join(' › ')}: ${parts[parts.length - 1]}`;
}

/** Limits that the error offers to raise, each with the value that lets the job pass; undefined if it offers none. */
export function raisedLimits(action: string): Limits | undefined {
  const found = LIMITS.flatMap((name) => {
    const value = Number(valueOf(action, name) ?? NaN);
    return Number.isFinite(value) ? [[name, value] as const] : [];
  });
  return found.length > 0 ? Object.fromEntries(found) : undefined;
}

const LIMITS = ['maxBitsGrowth', 'maxGrowth'] as const;

/** What a model may lose that is written. */
export type Limits = Readonly<Partial<Record<(typeof LIMITS)[number], number>>>;

/** Whether the error advises to resume what was stopped. */
export const advisesToResume = (action: string): boolean => action.includes(set('resume', true, 'add'));
