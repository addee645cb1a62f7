/** The command line as users run it. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setReportFolder } from '../../src/cli/report-assets';
import { built, nodePath } from './built';
import { runHere } from './cli-here';
import { temporaryFolder } from './temporary';

let program: string | undefined;

/** Bundles the CLI; call it from a hook, for it takes about a second. */
export function buildCli(): void {
  if (program !== undefined) return;
  const folder = built('cli', 'commands', 'mcp', 'sidecar', 'tokenizer', 'quantizer', 'report');
  setReportFolder(join(folder, 'webview'));
  program = join(folder, 'cli.cjs');
}

/** The bundled program and the environment that it needs. */
export function builtProgram(): { readonly file: string; readonly env: Record<string, string> } {
  if (program === undefined) throw new Error('call buildCli() in a before hook');
  const { PATH = '' } = process.env;
  return { file: program, env: { PATH, NODE_PATH: nodePath, ...ofTheTests() } };
}

/** What test/run.mjs says of the machine: a cache of the part's own, threads of a run. */
function ofTheTests(): Record<string, string> {
  const names = ['COPPICE_CACHE', 'COPPICE_THREADS'];
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
}

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Sent as soon as stderr says something, which is when the work has begun. */
  readonly interrupt?: NodeJS.Signals;
  /** Called as soon as stderr says something. */
  readonly onBegin?: () => void;
  /** Called with each piece of stderr. */
  readonly onStderr?: (text: string) => void;
  /** Called with each piece of stdout. */
  readonly onStdout?: (text: string) => void;
  /** Words of bash that run before the command, in its process: limits, redirections. */
  readonly under?: string;
  /** Close stdout after its first bytes, as `head` does. */
  readonly closeStdout?: boolean;
}

/** A command that runs. */
export interface Running {
  readonly pid: number;
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly result: Promise<CliResult>;
}

/** Whether test/run.mjs has bundled the tests. Through tsx a module can be there twice, and errors of one are not those of the other. */
const isBundled = process.env.COPPICE_TEST_BUNDLE !== undefined;

/**
 * Runs `coppice …args` to its end: in this process, or in one of its own where an option is about the process. The environment holds
 * nothing that changes colours or signs.
 */
export function coppice(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const { cwd = temporaryFolder(), env, ...others } = options;
  if (!isBundled || Object.keys(others).length > 0) return coppiceProcess(args, options);
  const { file, env: own } = builtProgram();
  return runHere({ cwd, env: { ...own, ...env }, argv: [process.execPath, file, ...args] });
}

/** Runs the built program to its end. */
export function coppiceProcess(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return startCoppice(args, options).result;
}

/** The same, to be ended from outside. */
export function startCoppice(args: readonly string[], options: CliOptions = {}): Running {
  const built = builtProgram();
  const words = [process.execPath, built.file, ...args];
  const [file, ...rest] =
    options.under === undefined ? words : ['bash', '-c', `${options.under}; exec "$@"`, 'bash', ...words];
  const child = spawn(file, rest, {
    cwd: options.cwd ?? temporaryFolder(),
    env: { ...built.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    options.onStdout?.(text);
    stdout += text;
    if (options.closeStdout) child.stdout.destroy();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (stderr === '' && options.interrupt) child.kill(options.interrupt);
    if (stderr === '') options.onBegin?.();
    options.onStderr?.(text);
    stderr += text;
  });
  const result = new Promise<CliResult>((done, fail) => {
    child.on('error', fail);
    child.on('close', (code) => done({ code, stdout, stderr }));
  });
  return { pid: child.pid!, kill: (signal) => void child.kill(signal), result };
}

/** The one JSON object of a run that must have succeeded. */
export function jsonOf(result: CliResult): Record<string, unknown> {
  if (result.code !== 0) throw new Error(`exit code ${result.code}: ${result.stderr}`);
  if (!/^\{.*\}\n$/.test(result.stdout)) throw new Error(`not one line of JSON: ${result.stdout}`);
  return JSON.parse(result.stdout) as Record<string, unknown>;
}
