/** Which of many weight files make up a model together, by their names alone. */
import { basename, dirname, join } from 'node:path';

export interface FoundModels {
  /** Folders, or single files where a folder holds several models. */
  readonly checkpoints: readonly string[];
  /** Folders. */
  readonly adapters: readonly string[];
  /** Files; of one that is split, the first part. */
  readonly ggufs: readonly string[];
  /** Folders that trainings were to write which have left a state beside them: stopped ones, and those under way. */
  readonly trainings: readonly string[];
}

const WHOLE = 'model.safetensors';
const ADAPTER = 'adapter_model.safetensors';
const SHARD = /-\d{5}-of-\d{5}\.safetensors$/;
const LATER_GGUF_PART = /-(?!00001)\d{5}-of-\d{5}\.gguf$/;
/** Folders of what Coppice is writing, and of trainings that were stopped. */
const UNDER_WAY = /\.(coppice-partial|training)$/;
/** Of a training, in such a folder. */
const STATE = /\.training[/\\]state\.safetensors$/;
/** What tools keep beside a model and is none. */
const NO_MODEL = /^(optimizer|scheduler|training_args|rng_state|adapter_model)\b/;

export const isGguf = (path: string): boolean => path.endsWith('.gguf');

/** @param files absolute paths */
export function groupFiles(files: readonly string[]): FoundModels {
  const folders = new Map<string, string[]>();
  const ggufs: string[] = [];
  const trainings: string[] = [];
  for (const file of files) {
    if (STATE.test(file)) trainings.push(dirname(file).replace(/\.training$/, ''));
    const parts = dirname(file).split(/[/\\]/);
    if (parts.some((part) => UNDER_WAY.test(part))) continue;
    if (isGguf(file)) {
      if (!LATER_GGUF_PART.test(file)) ggufs.push(file);
      continue;
    }
    folders.set(dirname(file), [...(folders.get(dirname(file)) ?? []), basename(file)]);
  }
  const checkpoints: string[] = [];
  const adapters: string[] = [];
  for (const [folder, names] of folders) {
    if (names.includes(ADAPTER)) adapters.push(folder);
    const models = names.filter((name) => !SHARD.test(name) && !NO_MODEL.test(name));
    const shardsAlone = models.length === 0 && names.some((name) => SHARD.test(name));
    const isOne = models.length === 1 || models.includes(WHOLE) || models.includes(`${WHOLE}.index.json`);
    if (isOne || shardsAlone) checkpoints.push(folder);
    else checkpoints.push(...models.map((name) => join(folder, name)));
  }
  return {
    checkpoints: checkpoints.sort(),
    adapters: adapters.sort(),
    ggufs: ggufs.sort(),
    trainings: trainings.sort(),
  };
}
