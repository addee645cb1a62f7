/**
 * Texts that judge a model: they chose none of its blocks and fitted none of its weights. First another text of the
 * workspace, or one beside the model; then the rest of a text of which the beginning alone was used; then a bundled one.
 */
import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import * as vscode from 'vscode';
import { CHOOSING_PART, mayOverlap, type ReadText, type TextShare, withShare } from '../../format/text-share';
import { readApplication } from '../../engine/application/read';
import { UserError } from '../../engine/errors';
import { hashFile } from '../../engine/files/regular-file';
import { textsNear } from '../../recipes/init/texts';
import { modelFolders } from './choose-file';
import type { Coppice } from '../coppice';
import { TEXT_EXTENSIONS, usableTexts } from './text-files';
import { textName } from './text-name';

/** Windows of a text that judge, where it has as many. */
export const JUDGING_WINDOWS = 64;

/** Continuations of the text, by which repetition is measured. */
export const REPETITIONS = 8;

export interface JudgingText extends ReadText {
  readonly file: string;
  /** "data/prose.txt, the last 30 %" */
  readonly name: string;
}

/** Smaller texts give no number that is worth much. */
const LEAST_BYTES = 4096;
/** The smallest text of which a part chooses and a part judges: ten rows of 128 tokens, and a dozen windows. */
const LEAST_TO_SPLIT = 24 * 1024;
/** Larger files are not hashed. */
const MOST_BYTES = 64 * 2 ** 20;
/** Of the workspace. */
const MOST_TEXTS = 100;

/** For judging, by their names. */
const FOR_JUDGING = /test|valid|eval|held|dev/i;

/**
 * @param used texts that chose or fitted @param near paths of the model and its original
 * @returns undefined where every text has chosen or fitted
 */
export async function judgingText(
  coppice: Coppice,
  used: readonly ReadText[],
  near: readonly string[],
): Promise<JudgingText | undefined> {
  const own = await applicationText(coppice, used);
  if (own) return own;
  const texts = [...(await workspaceTexts(coppice)), ...(await textsBeside(near))];
  const hashed = await withHashes(texts);
  const free = (text: ReadText): boolean => !used.some((each) => mayOverlap(each, text));
  const other = hashed.find(free);
  const rest = hashed.map((text) => ({ ...text, share: 'judge' as const })).find(free);
  const found = other ?? rest ?? (await withHashes(bundledTexts(coppice))).find(free);
  return found && { ...found, name: partName(coppice, found) };
}

/** The judging rows of the application's text, unless all of it was read before it was named. */
async function applicationText(
  coppice: Pick<Coppice, 'config' | 'context'>,
  used: readonly ReadText[],
): Promise<JudgingText | undefined> {
  const file = coppice.config.application;
  if (file === undefined) return undefined;
  const { sha256 } = await readApplication(file);
  const text = { sha256, share: 'judging' as const };
  if (used.some((each) => mayOverlap(each, text))) return undefined;
  return { file, ...text, name: partName(coppice, { file, share: text.share }) };
}

/**
 * The share of a text that may choose and fit, so that something is left that judges: all of a text where another one is
 * at hand, or where it is too short to be cut.
 */
export async function choosingShare(
  coppice: Coppice,
  file: string,
  near: readonly string[],
): Promise<TextShare | undefined> {
  // Of the application's text each job has its own split.
  if (file === coppice.config.application) return undefined;
  // What is no text for judging would never judge.
  const isText = TEXT_EXTENSIONS.judging.some((ending) => file.toLowerCase().endsWith(`.${ending}`));
  if (!isText || bundledTexts(coppice).includes(file)) return undefined;
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile() || found.size < LEAST_TO_SPLIT || found.size > MOST_BYTES) return undefined;
  const [own] = await withHashes([file]);
  if (!own) return undefined;
  const others = await withHashes([...(await workspaceTexts(coppice)), ...(await textsBeside(near))]);
  return others.some(({ sha256 }) => sha256 !== own.sha256) ? undefined : 'choose';
}

/** The same for a job that a command starts. A caller without questions gets what it asks for. */
export const shareFor = async (
  coppice: Coppice,
  file: string,
  { path, throws }: { readonly path: string; readonly throws?: boolean },
): Promise<{ readonly share?: TextShare }> => (throws ? {} : withShare(await choosingShare(coppice, file, [path])));

/** "its first 70 % choose, the rest judges", for a question. */
export const sharedWords = (): string =>
  vscode.l10n.t(
    'the only text here: its first {0} % choose the blocks, the rest judges the result',
    Math.round(100 * CHOOSING_PART),
  );

/** "prose.txt, the last 30 %" */
function partName(coppice: Pick<Coppice, 'context'>, { file, share }: Pick<JudgingText, 'file' | 'share'>): string {
  const name = textName(coppice, file);
  const first = Math.round(100 * CHOOSING_PART);
  if (share === undefined) return name;
  if (share === 'judging') return vscode.l10n.t('{0}, its judging rows', name);
  return share === 'choose'
    ? vscode.l10n.t('{0}, the first {1} %', name, first)
    : vscode.l10n.t('{0}, the last {1} %', name, 100 - first);
}

/** Texts of the workspace that are not about a project; those that are named for judging come first. */
async function workspaceTexts(coppice: Coppice): Promise<string[]> {
  const exclude = '**/{node_modules,.*,*.coppice,*.coppice-partial,*.training,*.iterate}/**';
  const found = await vscode.workspace.findFiles(`**/*.{${TEXT_EXTENSIONS.evaluation.join(',')}}`, exclude, MOST_TEXTS);
  const paths = found.map(({ fsPath }) => fsPath);
  const texts = await usableTexts(paths, 'judging', modelFolders(coppice));
  const isNamed = (path: string): boolean => FOR_JUDGING.test(basename(path));
  return [...texts.filter(isNamed), ...texts.filter((path) => !isNamed(path))];
}

async function textsBeside(models: readonly string[]): Promise<string[]> {
  const found = await textsNear([...new Set(models.flatMap((path) => [path, dirname(path)]))]).catch(() => ({}));
  return Object.values(found).filter((path): path is string => typeof path === 'string');
}

const bundledTexts = ({ context }: Pick<Coppice, 'context'>): string[] =>
  ['evaluation.txt', 'calibration.txt'].map(
    (name) => vscode.Uri.joinPath(context.extensionUri, 'media', 'sample', name).fsPath,
  );

/** Without those that cannot be read, or have too little. */
async function withHashes(files: readonly string[]): Promise<(ReadText & { readonly file: string })[]> {
  const all = await Promise.all(
    [...new Set(files)].map(async (file) => {
      try {
        const { size } = await stat(file);
        if (size < LEAST_BYTES || size > MOST_BYTES) return undefined;
        return { file, sha256: await hashFile(file) };
      } catch (error) {
        if (error instanceof UserError || (error as NodeJS.ErrnoException).code !== undefined) return undefined;
        throw error;
      }
    }),
  );
  return all.filter((each) => each !== undefined);
}
