/**
 * Downloads a model from Hugging Face into the cache that other programs use too. It fetches weights as safetensors or GGUF,
 * configs and tokenizers; never pickles or code. Every file is compared with the digest that the repository names.
 * The library of Hugging Face knows the addresses and the layout of the cache.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, realpath, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { downloadFileToCacheDir, listFiles, modelInfo } from '@huggingface/hub';
import { CancelledError, messageOf, UserError } from '../engine/errors';
import { nearestFolder } from '../engine/files/target';
import type { JobOptions } from '../engine/progress';
import { writeTextFile } from '../engine/system-failure';
import { formatBytes } from '../format/numbers';
import { hubHome } from './cache';
import { entryOf, fileOf, type HubFile, isRevision } from './listing';
import { boundedFetch } from './requests';

export type { HubFile };

export interface HubPlace {
  /** "https://huggingface.co", or a mirror. */
  readonly address: string;
  /** Folder of the cache. */
  readonly cache: string;
  /** Of the user's account, for models that ask for one. */
  readonly token?: string;
}

export interface HubModel {
  readonly id: string;
  /** The commit. */
  readonly revision: string;
  /** What a download fetches, with the first of `gguf`. */
  readonly files: readonly HubFile[];
  /** GGUF files to choose one from, smallest first; empty where the model has safetensors. */
  readonly gguf: readonly HubFile[];
  readonly bytes: number;
}

/** "org/name" as repositories of models are named; older ones have no organisation. */
const ID = /^[\w.-]{1,96}(\/[\w.-]{1,96})?$/;
/** More files than any model has. */
const MAX_FILES = 10_000;
/** Each has some hundred files or more. */
const MAX_PAGES = 200;
const OFFICIAL = 'https://huggingface.co';

export const isModelId = (text: string): boolean => ID.test(text) && !text.includes('..') && !text.includes('--');

/** The place of models, by the variables that huggingface_hub knows. @throws UserError for an address without encryption */
export async function hubPlace(cache: string, env: NodeJS.ProcessEnv = process.env): Promise<HubPlace> {
  const address = (env.HF_ENDPOINT ?? OFFICIAL).replace(/\/+$/, '');
  const { protocol, hostname } = new URL(URL.canParse(address) ? address : 'none:');
  const isLocal = protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  if (protocol !== 'https:' && !isLocal) {
    throw new UserError(
      `Models cannot be downloaded from ${address}`,
      'the variable HF_ENDPOINT must be an address that starts with https://',
      'Correct or remove the variable, and start VS Code again.',
    );
  }
  const token = env.HF_TOKEN ?? (await readFile(join(hubHome(env), 'token'), 'utf8').catch(() => ''));
  return { address, cache, ...(token.trim() !== '' && { token: token.trim() }) };
}

/**
 * What a download would fetch. Asks the network.
 * @param signal ends it
 * @throws UserError for a model that is not there, needs permission, or has no weights that Coppice reads; CancelledError
 */
export async function describeModel(id: string, place: HubPlace, { signal }: JobOptions = {}): Promise<HubModel> {
  return asUserError(id, place, signal, async () => {
    const asking = { ...access(place), fetch: boundedFetch({ ...place, signal, most: MAX_PAGES }) };
    const { sha: revision } = await modelInfo({ name: id, additionalFields: ['sha'], revision: 'main', ...asking });
    if (!isRevision(revision)) throw strange(id, place, 'its revision is not one of Git');
    const all: HubFile[] = [];
    for await (const entry of listFiles({ repo: id, revision, ...asking })) {
      if (entry.type !== 'file' || !isWanted(entry.path)) continue;
      const file = fileOf(entry);
      if (!file) throw strange(id, place, 'the list of its files has a name, a digest or a size that no file has');
      all.push(file);
      if (all.length > MAX_FILES) throw unreadable(id, `it has more than ${MAX_FILES} files`);
    }
    if (!all.some(({ path }) => WEIGHTS.test(path))) throw noWeights(id);
    const hasSafetensors = all.some(({ path }) => path.endsWith('.safetensors'));
    const gguf = hasSafetensors
      ? []
      : all.filter(({ path }) => path.endsWith('.gguf')).sort((a, b) => a.bytes - b.bytes);
    const others = all.filter(({ path }) => !path.endsWith('.gguf'));
    return withGguf({ id, revision, files: others, gguf, bytes: 0 }, gguf.at(0));
  });
}

/** The model with this one of its GGUF files. */
export function withGguf(model: HubModel, chosen: HubFile | undefined): HubModel {
  const others = model.files.filter(({ path }) => !path.endsWith('.gguf'));
  const files = chosen ? [...others, chosen] : others;
  return { ...model, files, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) };
}

/**
 * Downloads all files that the cache lacks.
 * @returns the folder of the model in the cache
 * @throws UserError, also for a file whose content is not what the repository names; CancelledError
 */
export async function downloadModel(model: HubModel, place: HubPlace, job: JobOptions = {}): Promise<string> {
  const { id, revision, files, bytes: total } = model;
  const { signal, onProgress } = job;
  await requireRoom(model, place);
  let before = 0;
  let folder = '';
  for (const file of files) {
    let received = 0;
    const fetch = boundedFetch({
      ...place,
      signal,
      others: true, // large files lie on other servers
      count: (count) => {
        received += count;
        onProgress?.({ done: before + Math.min(received, file.bytes), total, unit: 'bytes', label: file.path });
      },
      instead: ({ pathname }) => (pathname.includes('/paths-info/') ? Response.json([entryOf(file)]) : undefined),
    });
    await asUserError(id, place, signal, async () => {
      const asked = { repo: id, path: file.path, revision, cacheDir: place.cache, ...access(place), fetch };
      try {
        const pointer = await downloadFileToCacheDir(asked);
        await requireContent(pointer, file);
        folder = pointer.slice(0, -file.path.length - 1);
      } catch (error) {
        await rm(incompleteOf(id, place, file), { force: true });
        throw error;
      }
    });
    before += file.bytes;
    onProgress?.({ done: before, total, unit: 'bytes', label: file.path });
  }
  await noteRevision(model, place);
  return folder;
}

/** Other programs find the files by the name of the branch. */
async function noteRevision({ id, revision }: HubModel, { cache }: HubPlace): Promise<void> {
  const refs = join(repositoryOf(id, cache), 'refs');
  await mkdir(refs, { recursive: true });
  await writeTextFile(join(refs, 'main'), revision);
}

const access = ({ address, token }: HubPlace) => ({
  hubUrl: address,
  ...(token !== undefined && { accessToken: token }),
});

const WEIGHTS = /\.(safetensors|gguf)$/;
/** Beside the weights, at the top of the repository. */
const BESIDE =
  /^(config|generation_config|tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab|chat_template|preprocessor_config)\.json$|\.safetensors\.index\.json$|^(merges\.txt|vocab\.txt|tokenizer\.model|chat_template\.jinja|README\.md|LICEN[CS]E(\.\w+)?|NOTICE(\.\w+)?)$/;

const isWanted = (path: unknown): boolean =>
  typeof path === 'string' && !path.includes('/') && (WEIGHTS.test(path) || BESIDE.test(path));

/** @throws Error for a file whose content is another one; it is removed */
async function requireContent(pointer: string, { path, bytes, sha256, gitSha1 }: HubFile): Promise<void> {
  const blob = await realpath(pointer);
  const { size } = await stat(blob);
  const hash = createHash(sha256 === undefined ? 'sha1' : 'sha256');
  if (sha256 === undefined) hash.update(`blob ${size}\0`); // as Git names the content of a file
  for await (const piece of createReadStream(blob)) hash.update(piece as Buffer);
  if (size === bytes && hash.digest('hex') === (sha256 ?? gitSha1)) return;
  await rm(blob, { force: true });
  await rm(pointer, { force: true });
  throw new Error(`${path} arrived with another content than the repository names`);
}

const incompleteOf = (id: string, { cache }: HubPlace, { sha256, gitSha1 }: HubFile): string =>
  join(repositoryOf(id, cache), 'blobs', `${sha256 ?? gitSha1}.incomplete`);

const repositoryOf = (id: string, cache: string): string => join(cache, `models--${id.split('/').join('--')}`);

async function requireRoom({ id, bytes }: HubModel, { cache }: HubPlace): Promise<void> {
  const { bavail, bsize } = await statfs(await nearestFolder(dirname(join(cache, 'hub'))));
  const free = bavail * bsize;
  if (bytes <= free) return;
  throw new UserError(
    `${id} cannot be downloaded`,
    `it has ${formatBytes(bytes)}, and the disk of ${cache} has ${formatBytes(free)} free`,
    'Free some space, or set the variable HF_HUB_CACHE to a folder on another disk.',
  );
}

async function asUserError<T>(
  id: string,
  { address }: HubPlace,
  signal: AbortSignal | undefined,
  act: () => Promise<T>,
): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (signal?.aborted) throw new CancelledError();
    if (error instanceof UserError) throw error;
    const status = (error as { readonly statusCode?: unknown }).statusCode;
    const { host } = new URL(address);
    if (status === 401 || status === 403) {
      const action = `Accept its conditions on ${host}, then log in with "hf auth login" or set HF_TOKEN, and start VS Code again.`;
      throw new UserError(`${id} cannot be downloaded`, 'it is private, or its owner asks for permission', action);
    }
    if (status === 404) {
      throw new UserError(
        `${id} cannot be downloaded`,
        `${host} has no model of this name`,
        'Check the name: org/name.',
      );
    }
    const why = `${host} could not be read: ${messageOf((error as Error).cause ?? error)}`;
    throw new UserError(`${id} cannot be downloaded`, why, 'Check the connection and try again.', { cause: error });
  }
}

const unreadable = (id: string, why: string): UserError =>
  new UserError(`${id} cannot be downloaded`, why, 'Download its files with another program, and open their folder.');

const strange = (id: string, { address }: HubPlace, why: string): UserError =>
  new UserError(
    `${id} cannot be downloaded`,
    `${new URL(address).host} does not answer as a server of models does: ${why}`,
    'Check the variable HF_ENDPOINT, and whom it belongs to.',
  );

const noWeights = (id: string): UserError =>
  unreadable(id, 'it has no weights as safetensors or GGUF at its top; other formats can hold code and are not read');
