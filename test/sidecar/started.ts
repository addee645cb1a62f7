/** The built sidecar with a client, as the extension host has them; ended when the tests of a `describe` are. */
import { execFileSync, fork } from 'node:child_process';
import { join, resolve } from 'node:path';
import { SidecarClient, type ClientOptions } from '../../src/sidecar/client';
import { temporaryFolder } from '../support/temporary';

const root = resolve(import.meta.dirname, '../..');
let program: string | undefined;

/** Bundles the sidecar into a temporary folder, once a test process; takes about a second. */
export function builtSidecar(): string {
  if (program === undefined) {
    const folder = temporaryFolder();
    execFileSync(process.execPath, [join(root, 'esbuild.mjs'), 'sidecar', 'tokenizer', `--outdir=${folder}`], {
      cwd: root,
    });
    program = join(folder, 'sidecar.cjs');
    process.env.NODE_PATH = join(root, 'node_modules'); // where it finds onnxruntime from there
  }
  return program;
}

/** What the client and the sidecar logged, a line each. */
export interface Logged {
  readonly lines: string[];
}

/** A client of its own; the caller disposes of it. */
export function newClient(options: Partial<ClientOptions> = {}): SidecarClient & Logged {
  const lines: string[] = [];
  const write =
    (level: string) =>
    (text: string): void =>
      void lines.push(`${level}: ${text}`);
  const log = {
    trace: write('trace'),
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
  };
  const client = new SidecarClient({ program: builtSidecar(), fork: fork, log, ...options });
  return Object.assign(client, { lines });
}

/** A client for the tests of a `describe`. */
export function describedClient(options: Partial<ClientOptions> = {}): () => SidecarClient & Logged {
  let client: SidecarClient & Logged;
  before(() => {
    client = newClient(options);
  });
  after(() => client.dispose());
  return () => client;
}

/** The process of a client that is ready. */
export function pidOf({ status }: SidecarClient): number {
  if (status.state !== 'ready') throw new Error(`the sidecar is ${status.state}`);
  return status.pid;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
