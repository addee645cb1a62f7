/** Groups weight files into models by their names. */
import { basename, dirname, join } from 'node:path';

export interface FoundModels {
  /** Folders; single files if a folder holds several models, and GGUF files: of a split one its first part. */
  readonly checkpoints: readonly string[];
  /** Folders. */
  readonly adapters: readonly string[];
  /** Files of healed weights. */
  readonly patches: readonly string[];
  /** Files of widths: what is kept of each block. */
  readonly widths: readonly string[];
  /** Folders with models in ONNX, whoever wrote them. */
  readonly onnx: readonly string[];
  /** Output folders of trainings with a saved state beside them: stopped and running ones. */
  readonly trainings: readonly string[];
}

const WHOLE = 'model.safetensors';
const ADAPTER = 'adapter_model.safetensors';
/** The end of a file of healed weights. */
export const PATCH = '.patch.safetensors';
/** The end of a file of a width. */
export const WIDTH = '.width.safetensors';
const SHARD = /-\d{5}-of-\d{5}\.safetensors$/;
const LATER_GGUF_PART = /-(?!00001)\d{5}-of-\d{5}\.gguf$/;
/** Folders of unfinished outputs, of training states, and of rounds. */
const UNDER_WAY = /\.(coppice-partial|training|iterate)$/;
/** The state of a training in such a folder. */
const STATE = /\.training[/\\]state\.safetensors$/;
/** Files that tools keep beside a model. */
const NO_MODEL = /^(optimizer|scheduler|training_args|rng_state|adapter_model)\b/;

/** @param files absolute paths */
export function groupFiles(files: readonly string[]): FoundModels {
  const folders = new Map<string, string[]>();
  const checkpoints: string[] = [];
  const patches: string[] = [];
  const widths: string[] = [];
  const trainings: string[] = [];
  const onnx = new Set<string>();
  for (const file of files) {
    if (STATE.test(file)) trainings.push(dirname(file).replace(/\.training$/, ''));
    const parts = dirname(file).split(/[/\\]/);
    if (parts.some((part) => UNDER_WAY.test(part))) continue;
    if (file.endsWith('.onnx')) {
      onnx.add(dirname(dirname(file)));
      continue;
    }
    if (file.endsWith('.gguf')) {
      if (!LATER_GGUF_PART.test(file)) checkpoints.push(file);
      continue;
    }
    if (file.endsWith(PATCH) || file.endsWith(WIDTH)) {
      (file.endsWith(PATCH) ? patches : widths).push(file);
      continue;
    }
    folders.set(dirname(file), [...(folders.get(dirname(file)) ?? []), basename(file)]);
  }
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
    patches: patches.sort(),
    widths: widths.sort(),
    onnx: [...onnx].sort(),
    trainings: trainings.sort(),
  };
}
