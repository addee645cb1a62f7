/** For processes that another one forked to work for it (sidecar, tokenizer): they end when it does. */
import { Worker } from 'node:worker_threads';

/** How often the parent is looked for, beside the closing of the channel. */
const CHECK_MS = 500;
/** What this process may take to end by itself, once the parent is gone. */
const GRACE_MS = 2500;

/**
 * Calls `gone` once the parent is: when its channel closes, or another process has adopted this one (a parent that was
 * killed may leave the channel open in a process of its own). A thread looks too: it ends the process when its main
 * thread cannot, because a driver or a regular expression never returns.
 */
export function watchParent(gone: () => void): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid !== parent) leave();
  }, CHECK_MS);
  const leave = (): void => {
    clearInterval(timer);
    gone();
  };
  timer.unref();
  process.once('disconnect', leave);
  new Worker(GUARD, { eval: true, workerData: { parent, look: CHECK_MS, grace: GRACE_MS } }).unref();
}

/** CommonJS: Node evaluates it as it is. */
const GUARD = `
const { workerData: { parent, look, grace } } = require('node:worker_threads');
setInterval(() => {
  if (process.ppid !== parent) setTimeout(() => process.kill(process.pid, 'SIGKILL'), grace);
}, look);
`;
