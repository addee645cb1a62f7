/**
 * The files that accompany the weights: tokenizer, generation config, chat template, licence. They are selected by an
 * allow-list of names, because a checkpoint's folder may hold anything, and no other file belongs in a new model.
 */
import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { messageOf } from '../errors';
import { isInside } from '../files/paths';

export interface AccompanyingFile {
  /** Path below the model's folder, with "/". */
  readonly name: string;
  /** Absolute path of the file, symbolic links resolved. */
  readonly file: string;
  readonly bytes: number;
}

/** A file of the model that is not copied, and why. */
export interface LeftBehind {
  readonly name: string;
  readonly why: string;
}

const COMPANION_NAMES = new Set([
  'generation_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.json',
  'vocab.txt',
  'merges.txt',
  'tokenizer.model',
  'spiece.model',
  'sentencepiece.bpe.model',
  'tekken.json',
  'chat_template.jinja',
  'chat_template.json',
]);
/** Versioned SentencePiece models, and the licence files that must accompany a model, in any spelling. */
const COMPANION_PATTERN = /^tokenizer\.model\.v\d[\w.]*$|^(licen[cs]e|notice|copying|use[_-]?policy)([._-].*)?$/i;
const NO_PAPER = /\.(safetensors|bin|pt|pth|gguf|py)$/i;
/** Other chat templates are in a separate folder. */
const TEMPLATE_FOLDER = 'additional_chat_templates';

/** A vocabulary of millions of entries takes tens of megabytes. */
const MAX_COMPANION_BYTES = 1024 ** 3;

/** Whether a file of this name accompanies the weights. */
function isCompanion(name: string): boolean {
  return COMPANION_NAMES.has(name) || (COMPANION_PATTERN.test(name) && !NO_PAPER.test(name));
}

/** The accompanying files in a model's folder, by name. Symbolic links are followed inside it and into its cache's blobs only. */
export async function findAccompanyingFiles(
  folder: string,
): Promise<{ found: AccompanyingFile[]; leftBehind: LeftBehind[] }> {
  const root = await realpath(folder);
  const allowed = [root, ...(await cacheBlobs(root))];
  const found: AccompanyingFile[] = [];
  const leftBehind: LeftBehind[] = [];
  const names = (await namesIn(folder)).filter(isCompanion);
  const templates = (await namesIn(join(folder, TEMPLATE_FOLDER))).filter((name) => name.endsWith('.jinja'));
  for (const name of [...names, ...templates.map((template) => `${TEMPLATE_FOLDER}/${template}`)].sort()) {
    const path = join(folder, name);
    try {
      const file = await realpath(path);
      const { size, isFile } = await kindOf(file);
      if (!isFile) continue;
      if (!allowed.some((place) => isInside(file, place))) {
        leftBehind.push({
          name,
          why: `it is a link to a file outside the model's folder: ${basename(dirname(file))}/${basename(file)}`,
        });
      } else if (size > MAX_COMPANION_BYTES) {
        leftBehind.push({ name, why: `it has ${size} bytes, too many for a file of its kind` });
      } else {
        found.push({ name, file, bytes: size });
      }
    } catch (error) {
      leftBehind.push({ name, why: messageOf(error) });
    }
  }
  return { found, leftBehind };
}

/** The names of files and links in a folder; none if the folder does not exist. */
async function namesIn(folder: string): Promise<string[]> {
  let entries: Dirent[];
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch {
    return [];
  }
  return entries.filter((entry) => entry.isFile() || entry.isSymbolicLink()).map((entry) => entry.name);
}

async function kindOf(file: string): Promise<{ size: number; isFile: boolean }> {
  const stats = await stat(file);
  return { size: stats.size, isFile: stats.isFile() };
}

/** `<repository>/snapshots/<revision>` in a Hugging Face cache keeps its files in `<repository>/blobs`. */
async function cacheBlobs(folder: string): Promise<string[]> {
  if (basename(dirname(folder)) !== 'snapshots') return [];
  const blobs = resolve(folder, '..', '..', 'blobs');
  try {
    return relative(blobs, await realpath(blobs)) === '' ? [blobs] : [];
  } catch {
    return [];
  }
}
