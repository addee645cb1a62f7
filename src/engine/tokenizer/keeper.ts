/**
 * Keeps the process that a checkpoint's tokenizer runs in: starts it when there is something to do, ends it when there has
 * been nothing for a while, when it gives no sign of life, and when the job is cancelled.
 *
 * A process, and not a thread: V8 takes the whole process down when one allocation of a thread goes far beyond
 * its limit, and a template can ask for that.
 */
import { memoryFor } from '../memory';
import { type ChildProcess, fork } from 'node:child_process';
import type { Socket } from 'node:net';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CancelledError, UserError } from '../errors';
import { systemReason } from '../system-failure';
import type { TokenizerTexts } from './files';
import { type Answer, type Reply, type Replies, STAGES, type StageSign, type Task } from './tasks';

export interface KeeperOptions {
  /** Ends the process when it is aborted while there is something to do; the caller gets `CancelledError`. */
  readonly signal?: AbortSignal;
  /** How long the process may give no sign of life, in milliseconds. */
  readonly patience?: number;
}

const MiB = 2 ** 20;
/** A stage takes a second or less for a MiB of text, and models tell how they get on within it. */
const PATIENCE_MS = 10_000;
/** How much longer for every MiB that it was given. */
const PATIENCE_PER_MIB_MS = 10_000;
/** Until the program has started, on a machine that is busy with other things. */
const START_PATIENCE_MS = 60_000;
/** Between two checks. Time counts in checks: one that comes late, because this process or the machine slept, is one. */
const CHECK_MS = 250;
/** Looks until a job that was cancelled stops waiting for what may be about to come. */
const CANCEL_CHECKS = 2;
/** After which a process that has nothing to do ends. */
const IDLE_MS = 30_000;
/** A text of 64 MiB takes 3 GiB. */
const MEMORY_MIB = Math.min(4096, Math.floor(memoryFor('tokenizer') / MiB));
/** Characters kept of what the process says when it dies. */
const LAST_WORDS = 4096;

interface Waiting {
  readonly task: Task;
  /** Of what it was given, in characters or ids. */
  readonly size: number;
  /** Not what is asked after the cancellation: the text that was written before is still to be shown. */
  readonly cancellable: boolean;
  readonly resolve: (reply: Reply<Task>) => void;
  readonly reject: (error: unknown) => void;
}

export class Keeper {
  private readonly queue: Waiting[] = [];
  private child: Running | undefined;
  private checks: NodeJS.Timeout | undefined;
  private idle: NodeJS.Timeout | undefined;
  private silentChecks = 0;
  private cancelledChecks = 0;

  constructor(
    private readonly texts: TokenizerTexts,
    private readonly options: KeeperOptions = {},
  ) {}

  /** Starts the process and loads the tokenizer. Throws `UserError` when it cannot be used. */
  load(): Promise<Replies['load']> {
    return this.ask({ kind: 'load', texts: this.texts }, this.texts.tokenizer.length);
  }

  /**
   * Tasks are done in the order in which they are asked.
   * @param size of what the process has to work through, in characters or ids
   * @throws UserError when it fails, hangs or runs out of memory; CancelledError when the signal is aborted meanwhile
   */
  async ask<T extends Task>(task: T, size: number): Promise<Reply<T>> {
    if (this.child === undefined && task.kind !== 'load') void this.load().catch(() => undefined);
    return new Promise<Reply<Task>>((resolve, reject) => {
      this.queue.push({ task, size, cancellable: this.options.signal?.aborted !== true, resolve, reject });
      this.child ??= this.start();
      this.child.send(task);
      this.watch();
    }) as Promise<Reply<T>>;
  }

  private start(): Running {
    this.silentChecks = 0;
    const child: Running = new Running({
      alive: () => (this.silentChecks = 0),
      answered: (answer) => this.answered(answer),
      gone: (why) => {
        if (this.child === child) this.end(this.failure(why));
      },
    });
    return child;
  }

  /** While a request waits: checks the process at intervals, which keeps this process alive. */
  private watch(): void {
    clearTimeout(this.idle);
    this.child?.ref();
    this.checks ??= setInterval(() => this.check(), CHECK_MS);
  }

  private check(): void {
    this.silentChecks++;
    const cancelled = this.options.signal?.aborted === true && this.queue[0].cancellable;
    this.cancelledChecks = cancelled ? this.cancelledChecks + 1 : 0;
    if (this.cancelledChecks > CANCEL_CHECKS) this.end(new CancelledError());
    else if (this.silentChecks * CHECK_MS > this.patience()) this.end(this.failure(undefined));
  }

  private patience(): number {
    if (this.child?.stage === undefined) return START_PATIENCE_MS;
    return this.options.patience ?? PATIENCE_MS + (PATIENCE_PER_MIB_MS * this.queue[0].size) / MiB;
  }

  private answered(answer: Answer): void {
    this.silentChecks = 0;
    const { resolve, reject } = this.queue.shift()!;
    if ('reply' in answer) resolve(answer.reply);
    else if ('refused' in answer) {
      const { what, why, action } = answer.refused;
      reject(new UserError(what, why, action));
    } else reject(Object.assign(new Error('the tokenizer fails'), { stack: answer.bug }));
    if (this.queue.length > 0) return;
    this.stopLooking();
    this.child?.unref(); // keeps nothing alive while nothing is asked
    this.idle = setTimeout(() => this.end(undefined), IDLE_MS).unref();
  }

  private stopLooking(): void {
    clearInterval(this.checks);
    this.checks = undefined;
    this.cancelledChecks = 0;
  }

  /** Ends the process; everything that is asked fails with `error`. The next task starts another. */
  private end(error: Error | undefined): void {
    const { child } = this;
    this.child = undefined;
    child?.kill();
    clearTimeout(this.idle);
    this.stopLooking();
    const asked = this.queue.splice(0);
    for (const { reject } of asked) reject(error);
  }

  /** @param died why the process ended by itself; undefined when it was silent for too long */
  private failure(died: string | undefined): UserError {
    const asked = this.queue[0]?.task;
    const stage = this.child?.stage;
    if (died === STARVED || (died !== undefined && stage === undefined)) {
      // The files are not to blame: it has not looked at them yet, or is short of what the system has.
      return new UserError(
        'The process that reads the tokenizer cannot start',
        `it ${died}`,
        'Close other programs, or raise the limits of this shell (ulimit -v, ulimit -n, ulimit -u).',
      );
    }
    const { folder } = this.texts;
    const [what, part] =
      asked?.kind === 'chat'
        ? [`Cannot apply the chat template of ${folder}`, 'it']
        : [
            `Cannot use ${join(folder, 'tokenizer.json')}`,
            stage === undefined || stage === 'r' || asked?.kind === 'load' ? 'loading it' : `its "${STAGES[stage]}"`,
          ];
    const seconds = Math.round((this.silentChecks * CHECK_MS) / 1000);
    const action =
      asked?.kind === 'chat'
        ? 'Give the prompt as plain text instead, or download the template again.'
        : 'Download the file again: a regular expression in it may never end. ' + 'Or give token ids instead of text.';
    return new UserError(
      what,
      died === undefined ? `${part} took longer than ${seconds} seconds` : `${part} ${died}`,
      action,
    );
  }
}

/** Why a process ended that the system gave too little, as against one that took too much. */
const STARVED = 'ended, because the system refuses more memory';

interface Listener {
  readonly alive: () => void;
  readonly answered: (answer: Answer) => void;
  /** @param why as the end of a sentence: "ended …" */
  readonly gone: (why: string) => void;
}

/** One process, from its start to its end. */
class Running {
  /** What it said last that it is at; undefined until it has started. */
  stage: StageSign | undefined;
  private readonly child: ChildProcess;
  private lastWords = '';

  constructor(listener: Listener) {
    const program = programFile();
    this.child = fork(program, [], {
      // From source the program is TypeScript, which the loader of this process reads (`--import tsx`).
      execArgv: [...(extname(program) === '.ts' ? process.execArgv : []), `--max-old-space-size=${MEMORY_MIB}`],
      // In an editor the program that runs us is Electron; this makes it a Node.
      env: { ...process.env, ELECTRON_RUN_AS_NODE: '1', NODE_OPTIONS: '' },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      serialization: 'advanced',
    });
    // Without pipes when the system had none left, which the error tells.
    this.child.stdout?.setEncoding('latin1').on('data', (signs: string) => {
      this.stage = signs.at(-1) as StageSign;
      listener.alive();
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.lastWords = (this.lastWords + text).slice(-LAST_WORDS);
    });
    this.child.on('message', listener.answered);
    this.child.on('error', (error) => listener.gone(`could not be run: ${systemReason(error)?.why ?? error.message}`));
    this.child.on('close', (code, signal) => listener.gone(this.end(code, signal)));
  }

  send(task: Task): void {
    if (this.child.connected) this.child.send(task, () => undefined); // that it has ended is told by its end
  }

  kill(): void {
    this.child.kill('SIGKILL');
    this.unref();
  }

  ref(): void {
    this.each('ref');
  }

  unref(): void {
    this.each('unref');
  }

  private each(method: 'ref' | 'unref'): void {
    this.child[method]();
    this.child.channel?.[method]();
    for (const pipe of [this.child.stdout, this.child.stderr]) (pipe as Socket | null)?.[method]();
  }

  private end(code: number | null, signal: NodeJS.Signals | null): string {
    if (this.lastWords.includes('Fatal process OOM')) return STARVED;
    if (/out of memory|invalid (array|size|table)|allocation failed/i.test(this.lastWords)) {
      return `took more memory than the ${MEMORY_MIB} MiB allowed`;
    }
    const said = /^\w*Error: .*$/m.exec(this.lastWords)?.[0];
    return `ended its process with ${signal ?? `code ${code}`}${said === undefined ? '' : ` (${said})`}`;
  }
}

/** Beside this file when run from source, beside the program that it is bundled into otherwise. */
function programFile(): string {
  const here = fileURLToPath(import.meta.url);
  return fileURLToPath(new URL(extname(here) === '.ts' ? './process.ts' : './tokenizer.cjs', import.meta.url));
}
