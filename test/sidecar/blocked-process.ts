/** A host whose child watches its parent but whose main thread never returns, as in a driver that hangs. */
import { fork } from 'node:child_process';
import { watchParent } from '../../src/engine/parent';

if (process.send) {
  watchParent(() => undefined);
  process.send('blocked', () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
} else {
  const child = fork(import.meta.filename, [], { execArgv: process.execArgv });
  child.once('message', () => process.stdout.write(`${child.pid}\n`));
}
