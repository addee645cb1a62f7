/**
 * Files and folders that the user has chosen for runs in this workspace. A record may name any path, but only paths
 * that the user has chosen are read again outside the workspace (engine/records/places.ts).
 */
import { isAbsolute } from 'node:path';
import type { Coppice } from './coppice';
import { textsIn } from '../engine/records/places';
import type { JobSpec } from '../protocol/jobs';

/** The parts of `Coppice` that this needs. */
interface Host {
  readonly context: { readonly workspaceState: Pick<Coppice['context']['workspaceState'], 'get' | 'update'> };
}

const KEY = 'givenFiles';
/** Maximum number of paths, newest first. */
const MAX_PATHS = 100;

export function givenFiles({ context }: Host): string[] {
  const stored = context.workspaceState.get<unknown>(KEY);
  return Array.isArray(stored) ? stored.filter((file) => typeof file === 'string') : [];
}

/** Remembers every path that the job reads. */
export async function keepGivenFiles(host: Host, spec: JobSpec): Promise<void> {
  const read = { ...spec, out: undefined, records: undefined };
  const files = textsIn(read).filter((text) => isAbsolute(text));
  const known = givenFiles(host);
  const all = [...new Set([...files, ...known])].slice(0, MAX_PATHS);
  if (all.join('\n') !== known.join('\n')) await host.context.workspaceState.update(KEY, all);
}
