/** The program with all commands. Help has examples, and usage errors have the form of other errors. */
import { Command } from 'commander';
import { version } from '../../package.json';
import { addAddTo } from './commands/add-to';
import { addAddToProject } from './commands/add-to-project';
import { addDemo } from './commands/demo';
import { addFetchTasks } from './commands/fetch-tasks';
import { addGather } from './commands/gather';
import { addHandOver } from './commands/hand-over';
import { addInit } from './commands/init';
import { addInspect } from './commands/inspect';
import { addMcp } from './commands/mcp';
import { addReport } from './commands/report';
import { addRun } from './commands/run';
import { addSchema } from './commands/schema';
import { addStatus } from './commands/status';
import { addSubmit } from './commands/submit';
import { addTake } from './commands/take';
import type { Exit } from './execute';
import { EXIT_USAGE, exitCodesInShort } from './exit-codes';
import { failureLines } from './failure';
import { addJob } from './job-command';
import { Listing } from './listed';
import { writeErr, writeOut } from './output';
import type { PagedKind } from './pages';
import { terminalFeaturesOf } from './terminal/features';
import { oneLine } from './terminal/text';

const EXAMPLES = `
Examples:
  coppice inspect ./SmolLM2-135M
  coppice score ./SmolLM2-135M --criterion ppl --calibration prose.txt --json > scores.json
  coppice prune ./SmolLM2-135M --scores scores.json --count 6 --out ./SmolLM2-pruned
  coppice eval ./SmolLM2-pruned --text test.txt
  coppice generate ./SmolLM2-pruned --prompt "Once upon a time"

A checkpoint is a folder in Hugging Face format, a .safetensors file, an index.json or a .gguf file.
Exit codes: ${exitCodesInShort()}.`;

type Add = (program: Command, exit: Exit) => void;

const job =
  (kind: PagedKind): Add =>
  (program, exit) => {
    addJob(program, exit, kind);
  };

/** All commands, in the order of the help. */
const COMMANDS: Readonly<Record<string, Add>> = {
  inspect: addInspect,
  score: job('score'),
  curve: job('curve'),
  prune: job('prune'),
  width: job('width'),
  experts: job('experts'),
  vocabulary: job('vocabulary'),
  iterate: job('iterate'),
  heal: job('heal'),
  retrain: job('retrain'),
  'hand-over': addHandOver,
  take: addTake,
  merge: job('merge'),
  export: job('export'),
  verify: job('verify'),
  'add-to-project': addAddToProject,
  eval: job('eval'),
  tasks: job('tasks'),
  generate: job('generate'),
  draft: job('draft'),
  bench: job('bench'),
  grid: job('grid'),
  versus: job('versus'),
  'add-to': addAddTo,
  frontier: job('frontier'),
  gather: addGather,
  submit: addSubmit,
  status: addStatus,
  init: addInit,
  run: addRun,
  'fetch-tasks': addFetchTasks,
  report: addReport,
  schema: addSchema,
  mcp: addMcp,
  demo: addDemo,
};

/** The commands that these words can reach: the first word alone chooses one. Each that is made delays the start. */
function namesIn([first, ...more]: readonly string[]): readonly string[] {
  if (first !== undefined && Object.hasOwn(COMMANDS, first)) return [first];
  return more.length === 0 && ['-V', '--version'].includes(first) ? [] : Object.keys(COMMANDS);
}

/** @param words of the command line after `coppice`; without any, all commands are made */
export function buildProgram(exit: Exit, words: readonly string[] = []): Command {
  const isListing = words.length === 1 && ['-h', '--help'].includes(words[0]);
  const program = new (isListing ? Listing : Command)('coppice')
    .description(
      'Makes language models shorter: scores their Transformer blocks, removes the least important ones, heals and retrains the rest, ' +
        'and writes what an application loads.',
    )
    .version(version, '-V, --version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    .exitOverride()
    .configureOutput({ writeOut, writeErr, outputError: (message) => writeErr(usageError(message)) })
    .addHelpText('after', EXAMPLES);
  for (const name of namesIn(words)) COMMANDS[name](program, exit);
  return program;
}

/** "error: unknown option '--foo'\n(Did you mean --bar?)" as three lines. */
function usageError(message: string): string {
  const [why, ...hints] = message
    .replace(/^error: /, '')
    .trim()
    .split('\n');
  const hint = hints.map((line) => line.replace(/^\((.*)\)$/, '$1')).join(' ');
  const failure = {
    what: 'The command line is not valid',
    why: oneLine(why),
    action: `${hint ? `${hint} ` : ''}See the options and examples with --help.`,
    exitCode: EXIT_USAGE,
  };
  const features = terminalFeaturesOf(process.stderr, process.env, !process.argv.includes('--no-color'));
  return `${failureLines(failure, undefined, features, false).join('\n')}\n`;
}
