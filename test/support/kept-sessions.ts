/**
 * Keeps closed sessions of narrow models for whatever opens the same graph next: a third of the time of tests went into opening the same
 * few graphs. A kept session has one user at a time, and a closed one refuses to run, as one of onnxruntime does. In test:full every
 * session is a new one.
 */
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InferenceSession } from 'onnxruntime-common';
import { full } from './shared';

type Options = InferenceSession.SessionOptions;
type Open = (model: Uint8Array | string, options: Options) => Promise<InferenceSession>;

/** Of graphs, and of what lies beside them: what is larger is read by few tests. */
const MOST_BYTES = 16 * 2 ** 20;
/** Sessions that wait for another user. */
const MOST_KEPT = 32;

/** What was closed last comes last. */
const kept: { readonly key: string; readonly session: InferenceSession }[] = [];

/** A disk of a test's own could not be taken away while a file on it is mapped. */
const disks = [tmpdir(), import.meta.dirname].map((folder) => statSync(folder).dev);

/** How a graph names a file beside it: key and value of an entry, in protobuf. */
const LOCATION = Buffer.from('\n\blocation\x12', 'latin1');

/** The files that a graph reads. */
function filesOf(model: Uint8Array): Set<string> {
  const bytes = Buffer.from(model.buffer, model.byteOffset, model.byteLength);
  const names = new Set<string>();
  for (let at = bytes.indexOf(LOCATION); at >= 0; at = bytes.indexOf(LOCATION, at)) {
    at += LOCATION.length;
    let length = 0;
    for (let shift = 0, more = true; more; shift += 7, at++) {
      length += (bytes[at] & 0x7f) << shift;
      more = bytes[at] > 0x7f;
    }
    names.add(bytes.toString('utf8', at, at + length));
  }
  return names;
}

/** What stands for the state of these files; undefined if they are large, or on another disk. */
function stateOf(folder: string, names: ReadonlySet<string>): string | undefined {
  const files = [...names].map((name) => ({ name, ...pick(join(folder, name)) }));
  if (files.reduce((sum, { size }) => sum + size, 0) > MOST_BYTES) return undefined;
  return files.every(({ dev }) => disks.includes(dev)) ? JSON.stringify(files) : undefined;
}

function pick(file: string) {
  const { dev, ino, size, mtimeMs, ctimeMs } = statSync(file);
  return { dev, ino, size, mtimeMs, ctimeMs };
}

/** What two sessions that compute the same have in common; undefined if a session is not to be kept. */
function keyOf(model: Uint8Array | string, options: Options): string | undefined {
  if (typeof model === 'string' || model.byteLength > MOST_BYTES || options.enableProfiling) return undefined;
  const { executionProviders = [], intraOpNumThreads, preferredOutputLocation, extra } = options;
  const [provider, ...others] = executionProviders;
  if (provider !== 'cpu' || others.length > 0 || intraOpNumThreads !== 1 || preferredOutputLocation) return undefined;
  const folder = (extra?.session as Record<string, string>).model_external_initializers_file_folder_path;
  try {
    const state = folder === undefined ? '' : stateOf(folder, filesOf(model));
    const hash = createHash('sha1').update(model).digest('hex');
    return state === undefined ? undefined : [hash, JSON.stringify(options), state].join();
  } catch {
    return undefined; // a file has gone: onnxruntime says so
  }
}

/** The session for one user, who closes it into those that are kept. */
function lent(session: InferenceSession, key: string): InferenceSession {
  let isOpen = true;
  const check = (): void => {
    if (!isOpen) throw new Error('Session already disposed.');
  };
  let hasFailed = false;
  const run = async (...args: Parameters<InferenceSession['run']>): ReturnType<InferenceSession['run']> => {
    check();
    try {
      return await session.run(...args);
    } catch (error) {
      hasFailed = true;
      throw error;
    }
  };
  const release = async (): Promise<void> => {
    check();
    isOpen = false;
    if (hasFailed) return session.release();
    kept.push({ key, session });
    if (kept.length > MOST_KEPT) await kept.shift()!.session.release();
  };
  return Object.create(session, {
    run: { value: run },
    release: { value: release },
    endProfiling: { value: check },
  }) as InferenceSession;
}

const require = createRequire(import.meta.url);
const { InferenceSession: Sessions } = require('onnxruntime-common') as { InferenceSession: { create: Open } };
const open = Sessions.create.bind(Sessions);

if (!full && process.platform !== 'win32') {
  Sessions.create = async (model, options) => {
    const key = keyOf(model, options);
    if (key === undefined) return open(model, options);
    const place = kept.findLastIndex((each) => each.key === key);
    const [found] = place < 0 ? [] : kept.splice(place, 1);
    return lent(found?.session ?? (await open(model, options)), key);
  };
}
