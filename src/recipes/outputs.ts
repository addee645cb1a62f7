/** What a step writes: the options of its job that name outputs, their places where the recipe names none, its main file. */
import { join } from 'node:path';
import type { AnyJob } from '../jobs/define';
import { JOBS } from '../jobs/definitions';
import type { Kind } from '../jobs/kinds';
import type { Option } from '../jobs/option';
import type { JsonObject } from '../format/json';

/** The file of a step's result, in the form of `--json`. */
export const RESULT_FILE = 'result.json';

/** In the folder of a state: named outputs of a run with quick values. */
export const QUICK_OUTPUTS = 'outputs';

/** What is in the folder of a state besides the folders of steps, which have other names. */
export const RESERVED_NAMES: readonly string[] = ['lock', 'runs', 'cluster', QUICK_OUTPUTS];

/** Kinds of jobs that can be steps: those of the command line. */
export const STEP_KINDS = (Object.keys(JOBS) as Kind[]).filter((kind) => {
  const job: AnyJob = JOBS[kind];
  return !job.sidecarOnly;
});

/** Names of the options by which a job writes. */
export function outputOptions(kind: Kind): string[] {
  const { options }: AnyJob = JOBS[kind];
  return Object.keys(options).filter((name) => options[name].writes);
}

/** The options by which a step writes what others may use. */
export function productOptions(kind: Kind): string[] {
  const { options }: AnyJob = JOBS[kind];
  return outputOptions(kind).filter((name) => !options[name].resumesFrom);
}

/** Ends of the names of single files. */
const ENDS: Readonly<Record<string, string>> = { save: '.width.safetensors', patch: '.patch.safetensors' };

/**
 * Outputs that a recipe does not name, in the step's own folder.
 * @param options of the step, as far as they are given
 */
export function usualOutputs(kind: Kind, options: JsonObject, folder: string, name: string): Record<string, string> {
  const { options: all }: AnyJob = JOBS[kind];
  const products = productOptions(kind);
  const namesNone = products.every((each) => options[each] === undefined);
  const isAsked = ({ usual }: Option): boolean =>
    !isDryRun(options) && (usual === 'always' || (usual === 'alone' && namesNone));
  const found: Record<string, string> = {};
  for (const each of outputOptions(kind).filter((option) => options[option] === undefined)) {
    const { required, resumesFrom } = all[each];
    if (resumesFrom) found[each] = join(folder, `${each}.jsonl`);
    else if (required || isAsked(all[each]))
      found[each] = join(folder, `${name}${isGguf(options) ? '.gguf' : (ENDS[each] ?? '')}`);
  }
  return found;
}

/** Whether a step only says what it would write. */
const isDryRun = ({ dryRun }: JsonObject): boolean => dryRun === true;

const isGguf = ({ format }: JsonObject): boolean => format === 'gguf';

/** Whether a step has a main output. */
export const hasMainOutput = (kind: Kind, options: JsonObject): boolean =>
  JOBS[kind].givesScores === true || writesProducts(kind, options);

export const writesProducts = (kind: Kind, options: JsonObject): boolean =>
  productOptions(kind).length > 0 && !isDryRun(options);
