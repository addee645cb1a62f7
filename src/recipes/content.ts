/**
 * Digests of what a recipe reads and writes: of a file its bytes, of a folder the names and bytes of its files. Digests
 * are kept with size, times and inode, so that a second look at a model of many gigabytes reads none of them.
 */
import { escapeRegExp } from '../format/words';
import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { messageOf, systemErrorCode, UserError } from '../engine/errors';
import { CARD, withoutSection } from '../engine/records/card-section';
import { hashFile, withFile } from '../engine/files/regular-file';
import { writeWhole } from '../engine/files/whole-file';
import type { JobOptions } from '../engine/progress';
import { isObject, stringifyJson } from '../format/json';

/** More than any checkpoint has; a folder with more was named by mistake. */
const MAX_FILES = 20_000;
const MAX_DEPTH = 8;
/** Of the file that keeps digests. */
const MAX_BYTES = 64 * 2 ** 20;

export interface Content {
  /** SHA-256 (hex). */
  readonly digest: string;
  /** Of all files. */
  readonly bytes: number;
}

interface Kept {
  readonly stamp: string;
  readonly sha256: string;
}

/** Digests by path, kept in a file. */
export class Contents {
  private changed = false;

  private constructor(
    private readonly file: string,
    private readonly kept: Map<string, Kept>,
  ) {}

  /** @param file of the digests; one that cannot be read counts as empty, because all can be computed again */
  static async open(file: string): Promise<Contents> {
    const text = await withFile(file, async (open) => {
      if (open.bytes > MAX_BYTES) return '{}';
      return (await open.readRange(0, open.bytes)).toString('utf8');
    }).catch(() => '{}');
    return new Contents(file, keptIn(text));
  }

  /**
   * The content of a file or a folder. Hidden files of a folder do not count, and links are followed.
   * @throws UserError if it is not there or cannot be read
   */
  async of(path: string, job: JobOptions = {}): Promise<Content> {
    const root = resolve(path);
    try {
      const stats = await stat(root);
      if (!stats.isDirectory()) return { digest: await this.ofFile(root, job), bytes: stats.size };
      const files = await filesBelow(root);
      let bytes = 0;
      const hash = createHash('sha256').update('folder\n');
      for (const file of files) {
        bytes += (await stat(file)).size;
        const name = relative(root, file).replaceAll('\\', '/');
        hash.update(`${JSON.stringify(name)} ${await this.ofFile(file, job)}\n`);
      }
      return { digest: hash.digest('hex'), bytes };
    } catch (error) {
      if (systemErrorCode(error) === undefined) throw error;
      const why = systemErrorCode(error) === 'ENOENT' ? 'it is not there' : messageOf(error);
      throw new UserError(`Cannot read ${root}`, why, 'Check the path.', { cause: error });
    }
  }

  /**
   * The content of a checkpoint: of a folder all its files; of a single file also the files beside it that belong to it,
   * and not others, because results may be there too.
   * @throws UserError if it is not there or cannot be read
   */
  async ofCheckpoint(path: string, job: JobOptions = {}): Promise<string> {
    const file = resolve(path);
    const stats = await stat(file).catch(() => undefined);
    if (stats?.isFile() !== true) return (await this.of(file, job)).digest;
    const belongs = belongsTo(basename(file));
    const names = (await readdir(dirname(file))).filter((name) => name === basename(file) || belongs.test(name)).sort();
    const hash = createHash('sha256').update('checkpoint\n');
    for (const name of names) {
      hash.update(`${JSON.stringify(name)} ${(await this.of(join(dirname(file), name), job)).digest}\n`);
    }
    return hash.digest('hex');
  }

  /** Writes the digests, if there are new ones. */
  async save(): Promise<void> {
    if (!this.changed) return;
    await writeWhole(this.file, stringifyJson(Object.fromEntries(this.kept)));
    this.changed = false;
  }

  private async ofFile(file: string, job: JobOptions): Promise<string> {
    const { size, mtimeMs, ctimeMs, ino } = await stat(file);
    const stamp = `${size} ${mtimeMs} ${ctimeMs} ${ino}`; // the time of the change shows an edit that put the other back
    const known = this.kept.get(file);
    if (known?.stamp === stamp) return known.sha256;
    const sha256 = (await cardDigest(file, size)) ?? (await hashFile(file, undefined, job));
    this.kept.set(file, { stamp, sha256 });
    this.changed = true;
    return sha256;
  }
}

/** Of a model card without the numbers that were added later; undefined for other files. */
async function cardDigest(file: string, bytes: number): Promise<string | undefined> {
  if (basename(file) !== CARD || bytes > MAX_BYTES) return undefined;
  const content = await withFile(file, (open) => open.readRange(0, open.bytes));
  const text = content.toString('utf8');
  const card = withoutSection(text);
  return card === text ? undefined : createHash('sha256').update(card).digest('hex');
}

function keptIn(text: string): Map<string, Kept> {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return new Map();
  }
  if (!isObject(found)) return new Map();
  return new Map(
    Object.entries(found).flatMap(([path, kept]): [string, Kept][] =>
      isObject(kept) && typeof kept.stamp === 'string' && typeof kept.sha256 === 'string'
        ? [[path, { stamp: kept.stamp, sha256: kept.sha256 }]]
        : [],
    ),
  );
}

/** Regular files in a folder and below, in a fixed order. @throws UserError for too many */
async function filesBelow(root: string): Promise<string[]> {
  const found: string[] = [];
  const walk = async (folder: string, depth: number): Promise<void> => {
    for (const name of (await readdir(folder)).filter((each) => !each.startsWith('.')).sort()) {
      const path = join(folder, name);
      const stats = await stat(path).catch(() => undefined); // a link to nothing
      if (stats?.isFile()) found.push(path);
      if (stats?.isDirectory() && depth < MAX_DEPTH) await walk(path, depth + 1);
      if (found.length > MAX_FILES) {
        throw new UserError(
          `${root} cannot be an input`,
          `it has more than ${MAX_FILES} files`,
          'Name a smaller folder.',
        );
      }
    }
  };
  await walk(root, 0);
  return found;
}

/** Config and tokenizer beside weights, and the shards of an index; the parts of a GGUF file that has several. */
export function belongsTo(name: string): RegExp {
  const [, stem, count] = /^(.*)-\d{5}-of-(\d{5})\.gguf$/i.exec(name) ?? [];
  if (stem !== undefined) return new RegExp(`^${escapeRegExp(stem)}-\\d{5}-of-${count}\\.gguf$`, 'i');
  if (/\.gguf$/i.test(name)) return /^$/;
  const shards = /\.(index\.)?json$/i.test(name) ? '|.*\\.safetensors' : '';
  return new RegExp(
    `^(config\\.json|generation_config\\.json|.*token.*|chat_template.*|vocab.*|merges\\.txt|coppice\\.json${shards})$`,
  );
}

/** The folder of a checkpoint, or its GGUF file. */
export const checkpointPlace = (path: string): string =>
  /\.(safetensors|json)$/i.test(path) ? dirname(resolve(path)) : resolve(path);
