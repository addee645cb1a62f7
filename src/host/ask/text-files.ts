/**
 * Lists the files of a workspace that a command may read as text, by their names and first bytes. The engine decides
 * when it reads the file. Does not use VS Code.
 */
import { basename, extname } from 'node:path';
import { UserError } from '../../engine/errors';
import { isInside } from '../../engine/files/paths';
import { withFile } from '../../engine/files/regular-file';

export type TextUse = 'calibration' | 'training' | 'evaluation' | 'judging';

/** Without dots. */
export const TEXT_EXTENSIONS: Readonly<Record<TextUse, readonly string[]>> = {
  calibration: ['txt', 'md', 'jsonl', 'json'],
  training: ['jsonl', 'json', 'txt', 'md'],
  evaluation: ['txt', 'md'],
  judging: ['txt', 'md'],
};

/** Only the start of each file is read. */
const HEAD_BYTES = 64 * 1024;

/** Files of models and programs, which are never offered. */
const NEVER =
  /^(license|licence|notice|copying|requirements|cmakelists|robots)([-_.].*)?$|(config|tokenizer|tokenizer_config|generation_config|special_tokens_map|vocab|index|coppice|package|tsconfig)\.json$/i;
/** Texts about a project. Nobody scores or trains on them; to measure on one, it comes last. */
const ABOUT =
  /^(readme|changelog|changes|contributing|authors|security|code_of_conduct|model_card|citation|source)([-_.].*)?$/i;

const RECORDS = /"(instruction|text)"\s*:\s*"|"(messages|batches)"\s*:\s*\[/;

/** Required start of a JSON file, by use and extension. */
const BEGINNINGS: Readonly<Record<string, RegExp>> = {
  'calibration .json': /^\s*\{[^]*"rows"\s*:\s*\[/,
  'calibration .jsonl': /^\s*\{.*"text"\s*:\s*"/,
  'training .json': RECORDS,
  'training .jsonl': RECORDS,
};

/**
 * @param files absolute paths
 * @param modelFolders folders of checkpoints and adapters, whose texts are skipped
 * @returns the usable files by name; texts about a project are only measured on, and come last
 */
export async function usableTexts(
  files: readonly string[],
  use: TextUse,
  modelFolders: readonly string[],
): Promise<string[]> {
  const named = files.filter(
    (file) => !NEVER.test(basename(file)) && !modelFolders.some((folder) => isInside(file, folder)),
  );
  const fits = await Promise.all(named.map((file) => beginsRight(file, use)));
  const usable = named.filter((_, i) => fits[i]).sort((a, b) => a.localeCompare(b));
  const isAbout = (file: string): boolean => ABOUT.test(basename(file));
  return [...usable.filter((file) => !isAbout(file)), ...(use === 'evaluation' ? usable.filter(isAbout) : [])];
}

async function beginsRight(file: string, use: TextUse): Promise<boolean> {
  const head = await headOf(file).catch((error: unknown) => {
    if (error instanceof UserError) return ''; // missing or unreadable
    throw error;
  });
  if (head.trim() === '') return false;
  return BEGINNINGS[`${use} ${extname(file).toLowerCase()}`]?.test(head) ?? true;
}

const headOf = (path: string): Promise<string> =>
  withFile(path, async (file) => {
    const head = await file.readRange(0, Math.min(HEAD_BYTES, file.bytes));
    return head.toString('utf8').replace(/^\uFEFF/, '');
  });
