/**
 * Whether transformers may open a folder. Code beside a model is never trusted, and only safetensors are read; but config.json can
 * also name other packages to load, and a file of an adapter another model. Such a folder is not given to it.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject } from '../../../format/json';
import { readSmallFile } from '../../files/regular-file';
import { withoutInfinity } from '../../formats/bounded-json';

const MOST_BYTES = 2 ** 20;
/** Parts of a config have parts. */
const MOST_DEPTH = 8;

/** Settings by which something else is loaded. */
const LOADS =
  /^(auto_map|custom_pipelines|quantization_config|compression_config|transformers_weights|use_kernels|kernel_config|\w*_implementation)$/;
/** A model that the folder of an adapter names would be loaded in its place. */
const ADAPTER = 'adapter_config.json';

/** What in the folder it may not open; undefined if it may. */
export async function strangeInFolder(folder: string): Promise<string | undefined> {
  try {
    const isAdapter = (await readdir(folder)).includes(ADAPTER);
    if (isAdapter) return ADAPTER;
    const text = (await readSmallFile(join(folder, 'config.json'), MOST_BYTES)).toString();
    const config: unknown = JSON.parse(withoutInfinity(text));
    const setting = isObject(config) ? strangeSetting(config) : 'config.json';
    return setting === undefined || setting === 'config.json' ? setting : `${setting} of config.json`;
  } catch {
    return 'config.json';
  }
}

function strangeSetting(config: object, depth = 0): string | undefined {
  for (const [name, value] of Object.entries(config) as [string, unknown][]) {
    if (LOADS.test(name) && value !== null) return name;
    if (typeof value !== 'object' || value === null) continue;
    const within = depth < MOST_DEPTH ? strangeSetting(value, depth + 1) : name;
    if (within !== undefined) return within;
  }
  return undefined;
}
