/**
 * Fetches files of the tasks' data that the user agreed to. It is the only part of Coppice that uses the network, and
 * runs only on the user's command.
 *
 * A file is taken whole and checked (size, SHA-256) before it gets its name, so nothing half-written is ever left, and
 * a download that was cut off goes on with the files that are missing.
 */
import { createHash } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CancelledError, messageOf, systemErrorCode, throwIfCancelled, UserError } from '../../errors';
import { OutputFile } from '../../files/output-file';
import { removeStale, temporaryName } from '../../files/partial';
import { MAX_TASK_BYTES } from '../../formats/limits';
import { type JobOptions, Work } from '../../progress';
import { cannotWrite } from '../../system-failure';
import type { DownloadPlan, PlannedFile } from './download-plan';
import { SOURCES } from './sources';
import { fileOfZip, ZipProblem } from './zip';

/** Opens a URL. Tests have a server of their own. */
export type OpenUrl = (url: string, signal: AbortSignal | undefined) => Promise<Response>;

/** Never follows to another address. Unpacked bytes, because their number is known. */
const overHttps: OpenUrl = (url, signal) =>
  fetch(url, { signal, redirect: 'error', headers: { 'accept-encoding': 'identity' } });

/**
 * Fetches the missing files of the plan, one after the other.
 * @returns paths of the files that it wrote
 * @throws UserError naming file, address and what to do by hand; CancelledError. Files fetched before remain.
 */
export async function download(
  plan: DownloadPlan,
  job: JobOptions = {},
  open: OpenUrl = overHttps,
): Promise<readonly string[]> {
  const missing = plan.files.filter(({ state }) => state === 'missing');
  const work = new Work(job, plan.bytes, 'bytes', 'fetching');
  const written: string[] = [];
  for (const file of missing) {
    work.step(`fetching ${file.file}`);
    const bytes = await fetchFile(file, work, job, open);
    await write(file, contentOf(file, bytes));
    written.push(file.path);
  }
  return written;
}

/** The file's bytes, checked. */
async function fetchFile(file: PlannedFile, work: Work, { signal }: JobOptions, open: OpenUrl): Promise<Buffer> {
  throwIfCancelled(signal);
  const bytes = Buffer.alloc(file.bytes);
  const hash = createHash('sha256');
  let filled = 0;
  try {
    const response = await open(file.url, signal);
    if (!response.ok) throw refused(file, `the server answers ${response.status}`);
    const body: AsyncIterable<Uint8Array> | readonly Uint8Array[] = response.body ?? [];
    for await (const chunk of body) {
      if (filled + chunk.length > bytes.length)
        throw refused(file, `it has more than the ${bytes.length} bytes stated`);
      bytes.set(chunk, filled);
      hash.update(chunk);
      filled += chunk.length;
      work.advance(chunk.length);
    }
  } catch (error) {
    if (signal?.aborted) throw new CancelledError();
    if (error instanceof UserError) throw error;
    throw refused(file, `the connection failed (${reasonOf(error)})`, error);
  }
  if (filled < bytes.length) throw refused(file, `it ended after ${filled} of ${bytes.length} bytes`);
  const found = hash.digest('hex');
  if (found !== file.sha256) throw refused(file, `its SHA-256 is ${found}, not ${file.sha256}`);
  return bytes;
}

/** What goes into the user's folder: the bytes, or the task's file out of them. */
function contentOf(file: PlannedFile, bytes: Buffer): Buffer {
  if (file.member === undefined) return bytes;
  try {
    return fileOfZip(bytes, file.member, MAX_TASK_BYTES);
  } catch (error) {
    if (error instanceof ZipProblem) throw refused(file, error.message, error);
    throw error;
  }
}

/** Writes beside the file's place, and gives it its name when it is complete. */
async function write({ path }: PlannedFile, content: Buffer): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, temporaryName(basename(path)));
  try {
    await mkdir(folder, { recursive: true });
    await removeStale(folder, basename(path));
    await OutputFile.fill(temporary, (file) => file.handle.writeFile(content));
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined); // the first error says more
    throw cannotWrite(path, error);
  }
}

const refused = ({ file, url, task }: PlannedFile, why: string, cause?: unknown): UserError =>
  new UserError(`Cannot fetch ${file} from ${url}`, why, `Try again later, or by hand: ${SOURCES[task].byHand}`, {
    cause,
  });

/** `fetch` says "fetch failed", and its cause says why. */
function reasonOf(error: unknown): string {
  const cause: unknown = error instanceof Error ? (error.cause ?? error) : error;
  return systemErrorCode(cause) ?? messageOf(cause);
}
