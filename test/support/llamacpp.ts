/**
 * The real llama.cpp, in npm's node-llama-cpp, which a script beside the repository installs into the user's cache and
 * runs in a process of its own. Tests use it where it is installed; `npm run test:full` installs it.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { full, hasShared, shared } from './shared';
import { temporaryFolder } from './temporary';

const SCRIPT = shared('consumers/llamacpp.mjs');

/** The folder into which the script installs its version. */
function home(): string | undefined {
  if (!hasShared || !existsSync(SCRIPT)) return undefined;
  const version = /VERSION = '([\d.]+)'/.exec(readFileSync(SCRIPT, 'utf8'))?.[1];
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  return version && join(cache, 'coppice-consumers', `node-llama-cpp-${version}`);
}

const isInstalled = (): boolean => existsSync(home() ?? '');

/** Whether it is there. */
export const runsLlamaCpp = isInstalled() || (full && existsSync(SCRIPT));

/** A test that runs llama.cpp. */
export function itLlamaCpp(title: string, body: Mocha.AsyncFunc | Mocha.Func): void {
  if (runsLlamaCpp) it(title, body);
  else it.skip(`${title} (needs llama.cpp; test:full installs it)`);
}

/** The same for one that only `npm run test:full` has the time for. */
export function itLlamaCppFull(title: string, body: Mocha.AsyncFunc | Mocha.Func): void {
  if (runsLlamaCpp && full) it(title, body);
  else it.skip(`${title} (in test:full)`);
}

export interface Continued {
  /** New tokens; they end before one that ends a text. */
  readonly ids: readonly number[];
  readonly text: string;
  readonly promptIds: readonly number[];
}

/** Continues a prompt greedily: a text, which llama.cpp cuts into tokens, or ids. */
export function continueWithLlamaCpp(file: string, prompt: string | readonly number[], count: number): Continued {
  const given = typeof prompt === 'string' ? prompt : JSON.stringify(prompt);
  const out = execFileSync(process.execPath, [SCRIPT, file, given, String(count)], { encoding: 'utf8' });
  return JSON.parse(out.trim().split('\n').at(-1)!) as Continued;
}

export interface Tokenized {
  /** Whether texts begin with BOS. */
  readonly bos: boolean;
  /** Of each text, without BOS. Special tokens in it are found. */
  readonly ids: readonly number[][];
}

/** The tokens of each text under the vocabulary of each file. */
export function tokensOfLlamaCpp(files: readonly string[], texts: readonly string[]): Tokenized[] {
  return ask('llamacpp-tokens.mjs', { files, texts }) as Tokenized[];
}

/**
 * The logits of what follows each row of ids, by id, under the model of each file.
 * @param context tokens that llama.cpp is made ready for (-c)
 */
export function logitsOfLlamaCpp(
  files: readonly string[],
  rows: readonly (readonly number[])[],
  context: number,
): readonly (readonly number[])[][] {
  return logitsOfEach(
    files.map((file) => ({ file, rows })),
    context,
  );
}

/** The same of rows of its own for each file. One process computes them all: starting it takes seconds. */
export function logitsOfEach(
  cases: readonly { readonly file: string; readonly rows: readonly (readonly number[])[] }[],
  context: number,
): readonly (readonly number[])[][] {
  const [files, rows] = [cases.map(({ file }) => file), cases.map((each) => each.rows)];
  return ask('llamacpp-logits.mjs', { files, rows, context }) as readonly (readonly number[])[][];
}

/** Mean loss of rows of ids in nats, under the model of the file. Every id of a row but the first counts. */
export function lossOfLlamaCpp(file: string, rows: readonly (readonly number[])[]): number {
  if (!isInstalled()) continueWithLlamaCpp(file, [1], 1);
  const input = join(temporaryFolder(), 'rows.json');
  writeFileSync(input, JSON.stringify(rows));
  const program = resolve(import.meta.dirname, '../../bench/peers/llama_cpp_losses.mjs');
  const printed = execFileSync(process.execPath, [program, home()!, file, '1', input], { encoding: 'utf8' });
  return (JSON.parse(printed.trim().split('\n').at(-1)!) as { meanNll: number }).meanNll;
}

/** Runs a script beside this file in a process of its own. Inputs and outputs are long, so they pass through files. */
function ask(
  script: string,
  question: { readonly files: readonly string[]; readonly [more: string]: unknown },
): unknown {
  if (!isInstalled()) continueWithLlamaCpp(question.files[0], [1], 1); // the script installs what is missing
  const [input, output] = ['in.json', 'out.json'].map((name) => join(temporaryFolder(), name));
  writeFileSync(input, JSON.stringify(question));
  const program = join(import.meta.dirname, script);
  execFileSync(process.execPath, [program, join(home()!, 'package.json'), input, output]);
  return JSON.parse(readFileSync(output, 'utf8'));
}
