/** Texts near a recipe or its model, which may serve for scoring and for measuring. */
import { namesIn } from '../../engine/files/names';
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';

/** A text with fewer bytes gives no ten rows of 128 tokens. */
const LEAST_BYTES = 4096;
/** Of a folder, so that one with a data set of a million files is not sorted for two texts. */
const MOST_NAMES = 10_000;

/** Texts of programs, not of people. */
const NO_PROSE = /^(readme|licen[cs]e|notice|copying|requirements|robots|changelog|cmakelists|merges|vocab)\b/i;
const FOR_CALIBRATION = /calib|prose|train|book|story|stories/i;
const FOR_MEASURING = /test|valid|eval|held|dev/i;

export interface TextsNearby {
  readonly calibration?: string;
  readonly text?: string;
}

/** @param folders that are looked into, each with its folder "data", the first one first */
export async function textsNear(folders: readonly string[]): Promise<TextsNearby> {
  const found: string[] = [];
  for (const folder of [...new Set(folders.flatMap((each) => [each, join(each, 'data')]))]) {
    found.push(...(await textsIn(folder)));
  }
  const text = found.find((path) => FOR_MEASURING.test(nameOf(path)));
  const others = found.filter((path) => path !== text);
  const calibration = others.find((path) => FOR_CALIBRATION.test(nameOf(path))) ?? others.at(0);
  return { calibration, text: text ?? others.find((path) => path !== calibration) };
}

const nameOf = (path: string): string => path.replace(/^.*[\\/]/, '');

/** In the order of their names. Links are passed over: they may lead anywhere. */
async function textsIn(folder: string): Promise<string[]> {
  const names = await namesIn(folder);
  const wanted = names.filter((name) => /\.txt$/i.test(name) && !NO_PROSE.test(name));
  const found: string[] = [];
  for (const name of wanted.slice(0, MOST_NAMES).sort()) {
    const path = join(folder, name);
    const stats = await lstat(path).catch(() => undefined);
    if (stats?.isFile() && stats.size >= LEAST_BYTES) found.push(path);
  }
  return found;
}
