/** The editor's names for options and commands in messages of the engine. */
import { type CommandName, type OptionName, type OptionNaming, set } from '../engine/option-token';
import { settingsByOption } from '../jobs/settings';
import { l10n } from '../l10n';

/** Settings by the option that they are the default of; the record's folder takes the place of its file. */
const SETTINGS: ReadonlyMap<string, string> = new Map([...settingsByOption(), ['record', 'coppice.runsFolder']]);

/** The other options: steps of a command, or arguments that a command can be called with. */
const NOUNS: Readonly<Partial<Record<OptionName, () => string>>> = {
  adapter: () => l10n.t('an adapter'),
  alpha: () => l10n.t('α'),
  blocks: () => l10n.t('the plan'),
  bos: () => l10n.t('begin-of-text token'),
  count: () => l10n.t('the count'),
  data: () => l10n.t('the training data'),
  dropout: () => l10n.t('dropout'),
  dtype: () => l10n.t('type of the weights'),
  epochs: () => l10n.t('epochs'),
  evalEvery: () => l10n.t('steps between evaluations'),
  full: () => l10n.t('full training'),
  granularity: () => l10n.t('the parts of blocks'),
  heldOut: () => l10n.t('held-out records'),
  ids: () => l10n.t('token ids'),
  init: () => l10n.t('random start'),
  initAdapter: () => l10n.t('the adapter to start from'),
  json: () => l10n.t('JSON'),
  limit: () => l10n.t('number of windows'),
  lr: () => l10n.t('learning rate'),
  merge: () => l10n.t('merging'),
  out: () => l10n.t('output folder'),
  prompt: () => l10n.t('the prompt'),
  patience: () => l10n.t('patience'),
  rank: () => l10n.t('rank'),
  ratio: () => l10n.t('the share'),
  remove: () => l10n.t('the plan'),
  resume: () => l10n.t('resuming'),
  'retrain.length': () => l10n.t('row length'),
  scores: () => l10n.t('the scores'),
  selfTokens: () => l10n.t('tokens of its own text'),
  steps: () => l10n.t('steps'),
  targetParams: () => l10n.t('the target size'),
  targets: () => l10n.t('target matrices'),
  teacher: () => l10n.t('a teacher'),
  teacherWeight: () => l10n.t('weight of the teacher'),
  text: () => l10n.t('a text'),
  warmup: () => l10n.t('warm-up'),
  window: () => l10n.t('window'),
};

/** Titles of commands, as in the Command Palette. */
export const COMMAND_TITLES: Readonly<Record<Exclude<CommandName, 'inspect'>, () => string>> = {
  merge: () => l10n.t('Merge LoRA Adapter into Checkpoint…'),
  retrain: () => l10n.t('Retrain with LoRA…'),
  score: () => l10n.t('Score Blocks…'),
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
    return name === 'inspect' ? l10n.t('the Coppice view') : l10n.t('“Coppice: {0}”', COMMAND_TITLES[name]());
  },
};

function nounOf(name: OptionName): string {
  const setting = SETTINGS.get(name);
  if (setting !== undefined) return l10n.t('“{0}”', settingTitle(setting));
  return NOUNS[name]?.() ?? l10n.t('the argument “{0}”', name);
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

/** Whether the error advises to resume what was stopped. */
export const advisesToResume = (action: string): boolean => action.includes(set('resume', true, 'add'));
