/** The built sidecar with a client, as the extension host has them; ended when the tests of a `describe` are. */
import { fork } from 'node:child_process';
import { join } from 'node:path';
import { SidecarClient, type ClientOptions } from '../../src/sidecar/client';
import { built, nodePath } from '../support/built';

/** The bundled sidecar; takes about a second where it is not there yet. */
export function builtSidecar(): string {
  process.env.NODE_PATH = nodePath; // where it finds onnxruntime from there
  return join(built('sidecar', 'tokenizer', 'quantizer'), 'sidecar.cjs');
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
