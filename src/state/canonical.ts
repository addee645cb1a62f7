/**
 * One path for one model: its folder, if the folder opens the same weights as the file that the user named. A GGUF file is
 * its own place, also if it is alone in its folder: the first one of several.
 */
import { basename, dirname, resolve } from 'node:path';
import { partsOf } from '../engine/checkpoint/gguf/parts';
import { locateCheckpoint, type Located } from '../engine/checkpoint/locate';

/** @throws UserError for what cannot be opened */
export async function canonicalPath(path: string): Promise<string> {
  const absolute = resolve(path);
  const folder = dirname(absolute);
  const named = await locateCheckpoint(absolute);
  if (named.weights.kind === 'gguf') return (await partsOf(named.weights.path))[0];
  if (named.folder === absolute) return absolute;
  if (basename(absolute) === 'config.json') return folder;
  const whole = await locateCheckpoint(folder).catch(() => undefined);
  return whole && isSame(named, whole) ? folder : absolute;
}

/** A single shard counts as its whole model. */
const isSame = (named: Located, whole: Located): boolean =>
  named.weights.path === whole.weights.path || (named.isPart && whole.weights.kind === 'index');
