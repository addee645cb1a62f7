/**
 * Processes of tokenizers between two tasks. A next job on the same checkpoint goes on with its process. Only a few wait,
 * because a large vocabulary takes hundreds of megabytes.
 */
import { createHash } from 'node:crypto';
import type { TokenizerTexts } from './files';
import type { Listener, Running } from './running';
import type { Replies } from './tasks';

/** Those that wait for a next job. */
const MOST = 2;
/** Time in which a job comes back to each of its tokenizers, however many it has in turns. Starting one takes far longer. */
const BRIEF_MS = 2_000;
/** Time after which one ends. */
const IDLE_MS = 30_000;

interface Idle {
  readonly key: string;
  readonly child: Running;
  /** What its tokenizer said when it was loaded. */
  readonly loaded: Replies['load'];
  timer?: NodeJS.Timeout;
  /** Its job has not come back to it. */
  isLeft: boolean;
}

class IdleProcesses {
  /** The one that waits longest first. */
  private waiting: readonly Idle[] = [];

  /** What the tokenizer said that an idle process has loaded. */
  loaded(key: string): Replies['load'] | undefined {
    return this.waiting.find((each) => each.key === key)?.loaded;
  }

  /** A process with this tokenizer, for the one that listens. */
  take(key: string, listener: Listener): Running | undefined {
    const found = this.waiting.find((each) => each.key === key);
    if (!found) return undefined;
    this.remove(found);
    found.child.listener = listener;
    return found.child;
  }

  /** Takes a process that has nothing to do. It does not keep this process alive. */
  put(key: string, child: Running, loaded: Replies['load']): void {
    const idle: Idle = { key, child, loaded, isLeft: false };
    idle.timer = setTimeout(() => this.leave(idle), BRIEF_MS).unref();
    child.listener = { alive: () => undefined, answered: () => undefined, gone: () => this.remove(idle) };
    child.unref();
    this.waiting = [...this.waiting, idle];
  }

  /** Few of those that are left go on waiting, and one of each tokenizer. */
  private leave(idle: Idle): void {
    idle.isLeft = true;
    idle.timer = setTimeout(() => this.end(idle), IDLE_MS - BRIEF_MS).unref();
    for (const same of this.left().filter(({ key }) => key === idle.key)) if (same !== idle) this.end(same);
    for (const old of this.left().slice(0, -MOST)) this.end(old);
  }

  private left(): readonly Idle[] {
    return this.waiting.filter(({ isLeft }) => isLeft);
  }

  private end(idle: Idle): void {
    this.remove(idle);
    idle.child.kill();
  }

  private remove(idle: Idle): void {
    clearTimeout(idle.timer);
    this.waiting = this.waiting.filter((each) => each !== idle);
  }
}

export const idleProcesses = new IdleProcesses();

/** Equal for the same texts of the same place, which errors name. */
export function keyOf({ folder, gguf, tokenizer, settings, template, notes }: TokenizerTexts): string {
  const about = JSON.stringify([folder, gguf ?? false, settings ?? null, template ?? null, notes ?? []]);
  return createHash('sha256').update(about).update('\n').update(tokenizer).digest('hex');
}
