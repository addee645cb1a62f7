/** Ends forked processes (sidecar, tokenizer) when their parent ends. */
import { Worker } from 'node:worker_threads';

/** Interval of the checks for the parent, besides the closing of the channel. */
const CHECK_MS = 500;
/** Time for this process to end by itself after its parent has ended. */
const GRACE_MS = 2500;

/**
 * Calls `gone` once the parent has ended: its channel closes, or another process has adopted this one (a child of a
 * killed parent may keep the channel open). A thread checks too. It ends the process if the main thread cannot, because
 * a driver or a regular expression never returns.
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

/** CommonJS, because Node evaluates it directly. */
const GUARD = `
const { workerData: { parent, look, grace } } = require('node:worker_threads');
setInterval(() => {
  if (process.ppid !== parent) setTimeout(() => process.kill(process.pid, 'SIGKILL'), grace);
}, look);
`;
