/** The program with all commands. Help has examples, and usage errors have the form of other errors. */
import { Command } from 'commander';
import { version } from '../../package.json';
import { addDemo } from './commands/demo';
import { addFetchTasks } from './commands/fetch-tasks';
import { addGather } from './commands/gather';
import { addInit } from './commands/init';
import { addInspect } from './commands/inspect';
import { addMcp } from './commands/mcp';
import { addReport } from './commands/report';
import { addRun } from './commands/run';
import { addSchema } from './commands/schema';
import { addStatus } from './commands/status';
import { addSubmit } from './commands/submit';
import type { Exit } from './execute';
import { EXIT_USAGE, failureLines } from './failure';
import { addJob } from './job-command';
import { writeErr, writeOut } from './output';
import { benchPage } from './pages/bench';
import { curvePage } from './pages/curve';
import { evalPage } from './pages/eval';
import { exportPage } from './pages/export';
import { generatePage } from './pages/generate';
import { gridPage } from './pages/grid';
import { healPage } from './pages/heal';
import { iteratePage } from './pages/iterate';
import { mergePage } from './pages/merge';
import { prunePage } from './pages/prune';
import { retrainPage } from './pages/retrain';
import { scorePage } from './pages/score';
import { tasksPage } from './pages/tasks';
import { verifyPage } from './pages/verify';
import { versusPage } from './pages/versus';
import { widthPage } from './pages/width';
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
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 a recipe's limit is broken, 130 cancelled with Ctrl-C.`;

export function buildProgram(exit: Exit): Command {
  const program = new Command('coppice')
    .description(
      'Prunes language models in depth: scores their Transformer blocks and removes the least important ones.',
    )
    .version(version, '-V, --version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    .exitOverride()
    .configureOutput({ writeOut, writeErr, outputError: (message) => writeErr(usageError(message)) })
    .addHelpText('after', EXAMPLES);
  addInspect(program, exit);
  addJob(program, exit, 'score', scorePage);
  addJob(program, exit, 'curve', curvePage);
  addJob(program, exit, 'prune', prunePage);
  addJob(program, exit, 'width', widthPage);
  addJob(program, exit, 'iterate', iteratePage);
  addJob(program, exit, 'heal', healPage);
  addJob(program, exit, 'retrain', retrainPage);
  addJob(program, exit, 'merge', mergePage);
  addJob(program, exit, 'export', exportPage);
  addJob(program, exit, 'verify', verifyPage);
  addJob(program, exit, 'eval', evalPage);
  addJob(program, exit, 'tasks', tasksPage);
  addJob(program, exit, 'generate', generatePage);
  addJob(program, exit, 'bench', benchPage);
  addJob(program, exit, 'grid', gridPage);
  addJob(program, exit, 'versus', versusPage);
  addGather(program, exit);
  addSubmit(program, exit);
  addStatus(program, exit);
  addInit(program, exit);
  addRun(program, exit);
  addFetchTasks(program, exit);
  addReport(program, exit);
  addSchema(program, exit);
  addMcp(program, exit);
  addDemo(program, exit);
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
