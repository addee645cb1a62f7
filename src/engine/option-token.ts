/**
 * Messages of the engine name options and commands by token, because each face has its own words for them. The terminal
 * says `--memory`, VS Code says “Coppice: Memory Limit”. A message stays a plain string that can be joined, sent to
 * another process and stored; the face renders the tokens in it where it shows the message.
 */

/** Options that messages of the engine name. `retrain.length` is the one of that job, `text.precision` that of jobs which write text. */
export const OPTION_NAMES = [
  'adapter',
  'against',
  'alpha',
  'answers',
  'application',
  'asLargeAs',
  'batch',
  'bits',
  'blocks',
  'bos',
  'budget',
  'byWidth',
  'calibration',
  'chat',
  'compensation',
  'consumers',
  'consumersFrom',
  'cost',
  'costs',
  'count',
  'counts',
  'criterion',
  'data',
  'device',
  'draft',
  'dryRun',
  'dropout',
  'dtype',
  'epochs',
  'evalEvery',
  'exact',
  'fit',
  'for',
  'force',
  'format',
  'from',
  'full',
  'generations',
  'gguf',
  'granularity',
  'heal',
  'heldOut',
  'hiddenWeight',
  'ids',
  'imatrix',
  'init',
  'initAdapter',
  'json',
  'keep',
  'keepEnds',
  'keepLanguages',
  'length',
  'limit',
  'limitMemory',
  'lr',
  'maxBitsGrowth',
  'maxGrowth',
  'maxKl',
  'maxPpl',
  'maxProbeLoss',
  'measure',
  'memory',
  'merge',
  'method',
  'metric',
  'min',
  'minAccuracy',
  'modelfile',
  'most',
  'multiple',
  'newTokens',
  'objective',
  'oneShot',
  'otherBase',
  'out',
  'part',
  'own',
  'patch',
  'patience',
  'plain',
  'precision',
  'prompt',
  'prompts',
  'range',
  'rank',
  'ratio',
  'ratios',
  'record',
  'remove',
  'repetition',
  'rescale',
  'resume',
  'retrain.length',
  'ridge',
  'rounds',
  'salience',
  'samples',
  'save',
  'saveImatrix',
  'scores',
  'probes',
  'seed',
  'share',
  'selfTokens',
  'step',
  'stepCut',
  'steps',
  'structure',
  'system',
  'target',
  'targetParams',
  'targetType',
  'targets',
  'taskData',
  'tasks',
  'tasks.data',
  'teacher',
  'teacherWeight',
  'text',
  'text.precision',
  'texts',
  'threads',
  'tokens',
  'trainLength',
  'type',
  'types',
  'verify',
  'vocabulary.keep',
  'warmup',
  'where',
  'width',
  'window',
] as const;

export type OptionName = (typeof OPTION_NAMES)[number];

/** Commands that messages of the engine name. */
export const COMMAND_NAMES = [
  'experts',
  'export',
  'fetch-tasks',
  'gather',
  'heal',
  'inspect',
  'iterate',
  'merge',
  'retrain',
  'score',
  'vocabulary',
  'width',
] as const;

export type CommandName = (typeof COMMAND_NAMES)[number];

/** The value of an option in a message; a placeholder such as DIR is text too. */
export type OptionValue = string | number | boolean;

/** How a command line writes values that other faces write otherwise: 10,12-14; 10.attention,12.ffn; 2GB; 5.4B; 1,8,32. */
export type WrittenKind = 'blocks' | 'parts' | 'bytes' | 'parameters' | 'numbers';

/** The words of one face for options and commands. Values are the text of the token. */
export interface OptionNaming {
  /** The option as a noun: "--device cpu". */
  option(name: OptionName, value?: string): string;
  /** The advice to give it a value: "use --device cpu". `verb` is the terminal's. */
  set(name: OptionName, value: string, verb: string): string;
  /** A command, with the arguments and options of a command line. */
  command(name: CommandName, words: readonly string[]): string;
  /** A value of an option, which the text has as the command line writes it. */
  value(kind: WrittenKind, text: string): string;
}

/** Names an option as a noun, with a value where that helps. `false` means the option is off. */
export const option = (name: OptionName, value?: OptionValue): string =>
  token('option', value === undefined ? [name] : [name, String(value)]);

/** The value that a text gives an option, which it names by token; undefined if it names none. */
export const valueOf = (text: string, name: OptionName): string | undefined =>
  [...text.matchAll(TOKEN)]
    .map(([, , , rest]) => rest.split('|'))
    .find(([named, value]) => named === name && value)?.[1];

/** Advises to give an option this value: `Run again, or ${set('device', 'cpu')}.` */
export const set = (name: OptionName, value: OptionValue, verb: 'use' | 'give' | 'add' = 'use'): string =>
  token('set', [name, String(value), verb]);

/** Names a command: `${command('merge', 'CHECKPOINT', option('out', 'DIR'))}`. */
export const command = (name: CommandName, ...words: readonly string[]): string =>
  // Only the terminal shows options among the words, so they are stored in its form.
  token('command', [name, ...words.map((word) => renderOptions(word, TERMINAL_NAMING))]);

/** An example of a value, as a command line has it: `leave out blocks: ${value('blocks', '10,12-14')}`. */
export const value = (kind: WrittenKind, text: string): string => token('value', [kind, text]);

/** The same text with another name for an option: that of a job, where the text names the one of any job. */
export const renamed = (text: string, from: OptionName, to: OptionName): string =>
  ['option', 'set'].reduce(
    (all, kind) =>
      all.replaceAll(`⟦${kind}|${from}⟧`, `⟦${kind}|${to}⟧`).replaceAll(`⟦${kind}|${from}|`, `⟦${kind}|${to}|`),
    text,
  );

const token = (kind: string, parts: readonly string[]): string => `⟦${[kind, ...parts].join('|')}⟧`;

/** A token, with the code quotes around it, if any. */
const TOKEN = /(`?)⟦(option|set|command|value)\|([^⟦⟧]*)⟧\1/g;

/**
 * Replaces every token of `text`. A word at the start of a sentence gets a capital letter. Only the terminal keeps code
 * quotes (backticks) around a token; other faces have their own.
 */
export function renderOptions(text: string, naming: OptionNaming): string {
  return text.replace(TOKEN, (whole: string, quote: string, kind: string, rest: string, offset: number) => {
    const words = named(naming, kind, rest.split('|'));
    if (words === undefined) return whole;
    const isTerminal = naming === TERMINAL_NAMING;
    // The terminal prints a command as the user types it.
    const begins = (offset === 0 || /[.!?] $/.test(text.slice(0, offset))) && !(isTerminal && kind === 'command');
    const kept = isTerminal ? quote : '';
    return kept + (begins ? words.charAt(0).toUpperCase() + words.slice(1) : words) + kept;
  });
}

/** Undefined for user text that only looks like a token. */
function named(naming: OptionNaming, kind: string, [name, ...rest]: readonly string[]): string | undefined {
  if (kind === 'command') return isCommandName(name) ? naming.command(name, rest) : undefined;
  if (kind === 'value') return isWrittenKind(name) ? naming.value(name, rest[0]) : undefined;
  if (!isOptionName(name)) return undefined;
  if (kind === 'option') return naming.option(name, rest[0]);
  return rest.length === 2 ? naming.set(name, rest[0], rest[1]) : undefined;
}

const isOptionName = (name: string): name is OptionName => OPTION_NAMES.some((each) => each === name);
const isWrittenKind = (name: string): name is WrittenKind =>
  ['blocks', 'parts', 'bytes', 'parameters', 'numbers'].includes(name);
const isCommandName = (name: string): name is CommandName => COMMAND_NAMES.some((each) => each === name);

/** The words of the command line. */
export const TERMINAL_NAMING: OptionNaming = {
  option: flag,
  set: (name, value, verb) => `${verb} ${flag(name, value)}`,
  command: (name, words) => ['coppice', name, ...words].join(' '),
  value: (_kind, text) => text,
};

/** "targetParams" → "--target-params"; "keepEnds", "false" → "--no-keep-ends". */
function flag(name: OptionName, value?: string): string {
  const words = name.replace(/^.*\./, '').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  if (value === 'false') return `--no-${words}`;
  return value === undefined || value === 'true' ? `--${words}` : `--${words} ${value}`;
}

let ownNaming: OptionNaming = TERMINAL_NAMING;

/** From now on this process names options by `naming`. Until then it names them as the terminal does. */
export function nameOptionsBy(naming: OptionNaming): void {
  ownNaming = naming;
}

/** `text` as this process shows it to its user. */
export const shownText = (text: string): string => renderOptions(text, ownNaming);
