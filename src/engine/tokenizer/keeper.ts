/**
 * Manages the process of a checkpoint's tokenizer. Starts it for the first task. Ends it when it hangs, and when the job is
 * cancelled. Between tasks it is among the idle ones (idle.ts), where another job with the same tokenizer finds it.
 *
 * It is a process, not a thread, because V8 ends the whole process if one allocation of a thread far exceeds its limit,
 * and a template can cause that.
 */
import { CancelledError, UserError } from '../errors';
import { tokenizerPlace, type TokenizerTexts } from './files';
import { idleProcesses, keyOf } from './idle';
import { type Listener, Running, STARVED } from './running';
import { type Answer, type Reply, type Replies, STAGES, type Task } from './tasks';

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
  private readonly key: string;
  private loaded: Replies['load'] | undefined;
  private silentChecks = 0;
  private cancelledChecks = 0;

  constructor(
    private readonly texts: TokenizerTexts,
    private readonly options: KeeperOptions = {},
  ) {
    this.key = keyOf(texts);
  }

  /** Starts the process and loads the tokenizer. Throws `UserError` if the tokenizer cannot be used. */
  async load(): Promise<Replies['load']> {
    this.loaded = idleProcesses.loaded(this.key);
    return this.loaded ?? this.ask({ kind: 'load', texts: this.texts }, this.texts.tokenizer.length);
  }

  /**
   * Tasks run in the order of the calls.
   * @param size of the input, in characters or ids
   * @throws UserError when it fails, hangs or runs out of memory; CancelledError when the signal is aborted during the
   * task
   */
  async ask<T extends Task>(task: T, size: number): Promise<Reply<T>> {
    if (this.child === undefined && task.kind !== 'load') {
      this.silentChecks = 0;
      this.child = idleProcesses.take(this.key, this.listener());
      const again = { kind: 'load', texts: this.texts } as const;
      if (!this.child) void this.ask(again, this.texts.tokenizer.length).catch(() => undefined);
    }
    return new Promise<Reply<Task>>((resolve, reject) => {
      this.queue.push({ task, size, cancellable: this.options.signal?.aborted !== true, resolve, reject });
      this.child ??= this.start();
      this.child.send(task);
      this.watch();
    }) as Promise<Reply<T>>;
  }

  private start(): Running {
    this.silentChecks = 0;
    return new Running(this.listener());
  }

  /** What a process tells while it is this keeper's. */
  private listener(): Listener {
    return {
      alive: () => (this.silentChecks = 0),
      answered: (answer, by) => {
        if (this.child === by) this.answered(answer);
      },
      gone: (why, who) => {
        if (this.child === who) this.end(this.failure(why));
      },
    };
  }

  /** Checks the process at intervals while a request waits. This keeps the current process alive. */
  private watch(): void {
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
    const { task, resolve, reject } = this.queue.shift()!;
    if ('reply' in answer) {
      if (task.kind === 'load') this.loaded = answer.reply as Replies['load'];
      resolve(answer.reply);
    } else if ('refused' in answer) {
      const { what, why, action } = answer.refused;
      reject(new UserError(what, why, action));
    } else reject(Object.assign(new Error('the tokenizer fails'), { stack: answer.bug }));
    if (this.queue.length > 0) return;
    this.stopLooking();
    if (!this.loaded) {
      this.end(undefined); // it has no tokenizer
      return;
    }
    const { child } = this;
    this.child = undefined;
    if (child) idleProcesses.put(this.key, child, this.loaded);
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
