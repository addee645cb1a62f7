/** Reads `config.json`, and the end-of-text ids of `generation_config.json`. */
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../errors';
import { isObject } from '../../format/json';
import { JsonProblem, parseBoundedJson } from '../formats/bounded-json';
import { isSet, tokenIds } from './fields';
import { readWhole, withFile } from '../files/regular-file';
import { type FileStamp, stampOf } from '../files/stamps';
import { CONFIG_DEPTH, MAX_CONFIG_BYTES, MAX_CONFIG_ENTRIES, MAX_NAME_LENGTH } from '../formats/limits';

export interface ConfigFile {
  readonly value: Readonly<Record<string, unknown>>;
  /** The bytes of the file, a part of the checkpoint's identity. */
  readonly bytes: Buffer;
  readonly stamp: FileStamp;
}

const GENERATION_CONFIG = 'generation_config.json';

/** Reads and parses a config file. Throws `UserError` naming the file. */
export async function readConfigFile(folder: string, name = 'config.json'): Promise<ConfigFile> {
  const path = join(folder, name);
  const { bytes, stamp } = await withFile(path, async (file) => ({
    bytes: await readWhole(file, name, MAX_CONFIG_BYTES),
    stamp: stampOf(name, await realpath(path), file.stats),
  }));
  try {
    const value = parseBoundedJson(bytes, {
      depth: CONFIG_DEPTH,
      keyLength: MAX_NAME_LENGTH,
      members: MAX_CONFIG_ENTRIES,
      items: MAX_CONFIG_ENTRIES,
      infinity: true,
      uniqueKeys: false, // the last one wins, as in every reader that accepts such configs
    });
    if (!isObject(value)) throw new JsonProblem('it is not a JSON object');
    return { value, bytes, stamp };
  } catch (error) {
    if (!(error instanceof JsonProblem)) throw error;
    throw new UserError(`${name} is not valid`, error.message, 'Download the file again.', { cause: error });
  }
}

/**
 * The end-of-text ids of `generation_config.json`. Chat models name their end-of-turn token only there. Undefined if
 * `names` (the folder's files) has no such file, or if it names no id.
 */
export async function readGenerationEos(folder: string, names: readonly string[]): Promise<number[] | undefined> {
  if (!names.includes(GENERATION_CONFIG)) return undefined;
  const { value } = await readConfigFile(folder, GENERATION_CONFIG);
  return isSet(value, 'eos_token_id') ? tokenIds(value, 'eos_token_id', GENERATION_CONFIG) : undefined;
}
