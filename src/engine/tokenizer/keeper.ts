/**
 * Manages the process of a checkpoint's tokenizer. Starts it for the first task. Ends it when it idles, when it hangs,
 * and when the job is cancelled.
 *
 * It is a process, not a thread, because V8 ends the whole process if one allocation of a thread far exceeds its limit,
 * and a template can cause that.
 */
import { memoryFor } from '../memory';
import { type ChildProcess, fork } from 'node:child_process';
import type { Socket } from 'node:net';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CancelledError, UserError } from '../errors';
import { systemReason } from '../system-failure';
import { tokenizerPlace, type TokenizerTexts } from './files';
import { type Answer, type Reply, type Replies, STAGES, type StageSign, type Task } from './tasks';

export interface KeeperOptions {
  /** Aborting it during a task ends the process; the caller gets `CancelledError`. */
  readonly signal?: AbortSignal;
  /** Maximum time without a sign of life, in milliseconds. */
  readonly patience?: number;
}

const MiB = 2 ** 20;
/** A stage takes at most a second per MiB of text, and long stages report progress. */
const PATIENCE_MS = 10_000;
/** Additional time per MiB of input. */
const PATIENCE_PER_MIB_MS = 10_000;
/** Time for the program to start on a busy machine. */
const START_PATIENCE_MS = 60_000;
/**
 * Interval of the checks. Time is counted in checks, so that a late check (this process or the machine slept) counts
 * once.
 */
const CHECK_MS = 250;
/** Checks until a cancelled job stops waiting for an answer that may arrive soon. */
const CANCEL_CHECKS = 2;
/** Idle time after which the process ends. */
const IDLE_MS = 30_000;
/** A text of 64 MiB takes 3 GiB. */
const MEMORY_MIB = Math.min(4096, Math.floor(memoryFor('tokenizer') / MiB));
/** Maximum characters kept of the process's error output. */
const LAST_WORDS = 4096;

interface Waiting {
  readonly task: Task;
  /** Size of the input, in characters or ids. */
  readonly size: number;
  /** Tasks after the cancellation still run, because the text written so far must be shown. */
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

  /** Starts the process and loads the tokenizer. Throws `UserError` if the tokenizer cannot be used. */
  load(): Promise<Replies['load']> {
    return this.ask({ kind: 'load', texts: this.texts }, this.texts.tokenizer.length);
  }

  /**
   * Tasks run in the order of the calls.
   * @param size of the input, in characters or ids
   * @throws UserError when it fails, hangs or runs out of memory; CancelledError when the signal is aborted during the
   * task
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

  /** Checks the process at intervals while a request waits. This keeps the current process alive. */
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
    this.child?.unref(); // does not keep this process alive while it idles
    this.idle = setTimeout(() => this.end(undefined), IDLE_MS).unref();
  }

  private stopLooking(): void {
    clearInterval(this.checks);
    this.checks = undefined;
    this.cancelledChecks = 0;
  }

  /** Ends the process; all open tasks fail with `error`. The next task starts a new process. */
  private end(error: Error | undefined): void {
    const { child } = this;
    this.child = undefined;
    child?.kill();
    clearTimeout(this.idle);
    this.stopLooking();
    const asked = this.queue.splice(0);
    for (const { reject } of asked) reject(error);
  }

  /** @param died why the process ended by itself; undefined if it hung */
  private failure(died: string | undefined): UserError {
    const asked = this.queue[0]?.task;
    const stage = this.child?.stage;
    if (died === STARVED || (died !== undefined && stage === undefined)) {
      // The files are not the cause: the process has not read them yet, or the system lacks resources.
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
            `Cannot use ${tokenizerPlace(this.texts)}`,
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

/** Why a process ended because the system gave too little memory, not because it took too much. */
const STARVED = 'ended, because the system refuses more memory';

interface Listener {
  readonly alive: () => void;
  readonly answered: (answer: Answer) => void;
  /** @param why the end of a sentence: "ended …" */
  readonly gone: (why: string) => void;
}

/** One process, from its start to its end. */
class Running {
  /** The last stage that it reported; undefined until it has started. */
  stage: StageSign | undefined;
  private readonly child: ChildProcess;
  private lastWords = '';

  constructor(listener: Listener) {
    this.child = fork(program, [], {
      // When run from source, the program is TypeScript and needs the loader of this process (`--import tsx`).
      execArgv: [...(extname(program) === '.ts' ? process.execArgv : []), `--max-old-space-size=${MEMORY_MIB}`],
      // In an editor this process is Electron; this makes the child run as Node.
      env: { ...process.env, ELECTRON_RUN_AS_NODE: '1', NODE_OPTIONS: '' },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      serialization: 'advanced',
    });
    // The pipes are missing if the system had none left; the error says so.
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
    if (this.child.connected) this.child.send(task, () => undefined); // the exit event reports the end
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

/** What every process runs. */
let program = programFile();

/** Takes another file as the program. Bundled, it starts in a quarter of the time that its source takes. */
export function setTokenizerProgram(file: string): void {
  program = file;
}

/** Beside this file when run from source, otherwise beside the bundle. */
function programFile(): string {
  const here = fileURLToPath(import.meta.url);
  return fileURLToPath(new URL(extname(here) === '.ts' ? './process.ts' : './tokenizer.cjs', import.meta.url));
}
