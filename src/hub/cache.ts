/** The models in the cache of Hugging Face, where transformers and other programs keep what they download. Reads names alone. */
import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { namesIn } from '../engine/files/names';

/** A model of the cache. */
export interface CachedModel {
  /** "org/name" */
  readonly id: string;
  /** The folder with its files, which are links into the cache. */
  readonly folder: string;
  /** When this revision was downloaded: ms since 1970. */
  readonly modified: number;
  readonly bytes: number;
}

/** More repositories than anybody has. */
const MAX_MODELS = 10_000;
const PREFIX = 'models--';

/** The folder of the cache, by the variables that huggingface_hub knows. */
export function hubCacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return env.HF_HUB_CACHE ?? env.HUGGINGFACE_HUB_CACHE ?? join(hubHome(env), 'hub');
}

/** The folder of everything that belongs to Hugging Face. */
export function hubHome(env: NodeJS.ProcessEnv = process.env): string {
  return env.HF_HOME ?? join(env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'huggingface');
}

/** Models with weights that Coppice reads, newest first; the current revision of each. Empty if there is no cache. */
export async function cachedModels(cache: string): Promise<CachedModel[]> {
  const names = (await namesIn(cache)).filter((name) => name.startsWith(PREFIX)).slice(0, MAX_MODELS);
  const found = await Promise.all(names.map((name) => modelIn(join(cache, name), name)));
  return found.filter((model) => model !== undefined).sort((a, b) => b.modified - a.modified);
}

async function modelIn(repository: string, name: string): Promise<CachedModel | undefined> {
  const id = name.slice(PREFIX.length).split('--').join('/');
  const current = await revisionOf(repository, 'main');
  const revisions = await namesIn(join(repository, 'snapshots'));
  // Without the branch, any revision is better than none.
  for (const revision of current !== undefined && revisions.includes(current) ? [current] : revisions) {
    const folder = join(repository, 'snapshots', revision);
    const weights = (await namesIn(folder)).filter((file) => /\.(safetensors|gguf)$/.test(file));
    const stats = await Promise.all(weights.map((file) => stat(join(folder, file)).catch(() => undefined)));
    const there = stats.filter((each) => each !== undefined); // a link may lead nowhere: an interrupted download
    if (there.length === 0 || there.length < weights.length) continue;
    const bytes = there.reduce((sum, { size }) => sum + size, 0);
    return { id, folder, modified: Math.max(...there.map(({ mtimeMs }) => mtimeMs)), bytes };
  }
  return undefined;
}

/** The commit of a branch. @returns undefined if the cache does not know it */
async function revisionOf(repository: string, branch: string): Promise<string | undefined> {
  const text = await readFile(join(repository, 'refs', branch), 'utf8').catch(() => '');
  return /^[0-9a-f]{40}$/.exec(text.trim())?.[0];
}
