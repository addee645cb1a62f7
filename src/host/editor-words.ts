/**
 * Errors of the engine in the words of the editor. The engine speaks of options of the command line; here some of them
 * are settings, some are steps of a command, and the others are arguments by which a command can be called.
 */

/** Whole phrases first, for an option in them means more than its name. */
const PHRASES: readonly (readonly [RegExp, string])[] = [
  [/:? ?coppice \w+( CHECKPOINT)?( --[\w-]+ [A-Z]+)+(?=\.|$)/g, ''],
  [/`coppice score --json`/g, 'scoring'],
  [/[;,] `coppice inspect` lists them/g, ''],
  [/Add --resume to go on with it/g, 'Resume it'],
  [/Prune with --criterion greedy, which/g, 'Score greedily again, which'],
  [/(?:\b(?:add|give) )?--no-plus/g, 'switch off coppice.keepFirstAndLast'],
];

const SETTINGS: Readonly<Record<string, string>> = {
  '--device': 'coppice.device',
  '--threads': 'coppice.threads',
  '--memory': 'coppice.memoryLimit',
  '--criterion': 'coppice.criterion',
  '--keep': 'coppice.keep',
  '--calibration': 'coppice.calibration.file',
  '--samples': 'coppice.calibration.samples',
};

/** Steps of commands, and options whose argument has another name. */
const NAMES: Readonly<Record<string, string>> = {
  '--out': 'folder',
  '--blocks': 'the plan',
  '--lr': 'learningRate',
};

export function editorWords(text: string): string {
  let words = text;
  for (const [phrase, instead] of PHRASES) words = words.replace(phrase, instead);
  return words.replace(/(?<![\w-])--[a-z][a-z-]*/g, (option) => SETTINGS[option] ?? NAMES[option] ?? argument(option));
}

/** "--max-new-tokens" → "maxNewTokens". */
const argument = (option: string): string =>
  option.slice(2).replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
