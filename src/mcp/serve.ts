/**
 * `coppice mcp`: Coppice's tools for any agent, over stdin and stdout. Jobs run in the sidecar, so that the server
 * answers while they compute, and survives what they do not.
 */
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { ErrorCode } from '@modelcontextprotocol/sdk/types.js';
import { fork } from 'node:child_process';
import type { Writable } from 'node:stream';
import { RunnerDesk } from '../agents/job-desk';
import type { ReportAssets } from '../engine/records/report';
import type { JobRunner, RunnerOptions } from '../jobs/runner';
import type { Compute, JobKind, Jobs, JobSpec } from '../protocol/jobs';
import { SidecarClient } from '../sidecar/client';
import { RemoteSpeeds } from '../sidecar/speeds';
import { Lines, MOST_BYTES } from './lines';
import { logTo } from './log';
import { coppiceServer } from './server';
import { reserveStdout } from './stdout';

export interface McpOptions {
  /** Folders that agents may use, see `ownRoots`; none leaves it to the client, or the current folder. */
  readonly roots: readonly string[];
  /** How long a call waits for its job before it answers with an id. */
  readonly waitMs: number;
  /** Device, threads and memory of all jobs. */
  readonly compute: Compute;
  /** Path of dist/sidecar.cjs. */
  readonly sidecar: string;
  readonly version: string;
  /** What draws the charts of reports. */
  readonly assets: () => Promise<ReportAssets>;
  /** Ends the server. */
  readonly signal: AbortSignal;
}

/**
 * Serves until stdin closes or the signal ends it. Then running jobs are cancelled, and end as they always do: their
 * outputs are complete or not there.
 */
export async function serveMcp(options: McpOptions): Promise<void> {
  const { roots, waitMs, compute, sidecar, version, assets, signal } = options;
  const output = reserveStdout();
  let client: SidecarClient | undefined;
  const server = coppiceServer({ own: roots, waitMs, version, assets }, (made) => {
    client = new SidecarClient({ program: sidecar, fork, log: logTo(made) });
    const speeds = new RemoteSpeeds(client, () => compute, 0);
    return { desk: new RunnerDesk(runnerOf(client, compute)), speeds };
  });
  const over = new Promise<void>((end) => {
    server.onclose = end;
    process.stdin.once('end', end).once('close', end);
    signal.addEventListener('abort', () => end(), { once: true });
  });
  if (!signal.aborted) {
    const transport = new StdioServerTransport(process.stdin.pipe(withoutLong(output, logTo(server))), output);
    await server.connect(transport);
    await over;
  }
  await client?.dispose();
  await server.close();
  process.stdin.destroy(); // after a signal it is still open, and would keep the process alive
}

/** The lines of the client. One that is too long is answered with an error. */
function withoutLong(output: Writable, log: { warn(text: string): void }): Lines {
  const message = `a message may have at most ${MOST_BYTES} bytes`;
  return new Lines((id) => {
    log.warn(message);
    const error = { jsonrpc: '2.0', id, error: { code: ErrorCode.InvalidRequest, message } };
    if (id !== undefined) output.write(`${JSON.stringify(error)}\n`);
  });
}

/** A sidecar that crashed too often stays down until someone starts it again: here the next job does. */
const runnerOf =
  (client: SidecarClient, compute: Compute): JobRunner =>
  async <K extends JobKind>(spec: Jobs[K]['spec'], options?: RunnerOptions<K>) => {
    if (client.status.state === 'failed') await client.restart();
    const outcome = await client.run({ ...compute, ...spec } as JobSpec, options as RunnerOptions<JobKind>);
    return outcome;
  };
