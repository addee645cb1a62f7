/**
 * A host that a test can kill: `node --import tsx host-process.ts PROGRAM SPEC` starts a client, runs the job over and
 * over, and prints the sidecar's pid once the job is under way.
 */
import { fork } from 'node:child_process';
import type { JobSpec } from '../../src/protocol/jobs';
import { SidecarClient } from '../../src/sidecar/client';

const [program, spec] = process.argv.slice(2);
const silent = (): void => undefined;
const log = { trace: silent, debug: silent, info: silent, warn: silent, error: silent };
const client = new SidecarClient({ program, fork, log });
client.onProgress(() => {
  if (client.status.state === 'ready') process.stdout.write(`${client.status.pid}\n`);
});
for (;;) await client.run(JSON.parse(spec) as JobSpec);
