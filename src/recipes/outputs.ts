/** What a step writes: the options of its job that name outputs, their places where the recipe names none, its main file. */
import { join } from 'node:path';
import type { AnyJob } from '../jobs/define';
import { JOBS } from '../jobs/definitions';
import type { Kind } from '../jobs/kinds';
import type { JsonObject } from '../format/json';

/** The file of a step's result, in the form of `--json`. */
export const RESULT_FILE = 'result.json';

/** In the folder of a state: named outputs of a run with quick values. */
export const QUICK_OUTPUTS = 'outputs';

/** What is in the folder of a state besides the folders of steps, which have other names. */
export const RESERVED_NAMES: readonly string[] = ['lock', 'runs', QUICK_OUTPUTS];

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

/** Files that a job goes on from after it was stopped, and that are not a product of it. */
const KEPT: Partial<Record<Kind, string>> = { tasks: 'answers', versus: 'answers' };

/** The options by which a step writes what others may use. */
export const productOptions = (kind: Kind): string[] => outputOptions(kind).filter((name) => name !== KEPT[kind]);

/** Jobs that write only if they are asked to: what a step of a recipe is asked for. */
const USUAL: Partial<Record<Kind, string>> = { heal: 'out', width: 'save', prune: 'out' };

/** Ends of the names of single files. */
const ENDS: Readonly<Record<string, string>> = { save: '.width.safetensors', patch: '.patch.safetensors' };

/**
 * Outputs that a recipe does not name, in the step's own folder.
 * @param options of the step, as far as they are given
 */
export function usualOutputs(kind: Kind, options: JsonObject, folder: string, name: string): Record<string, string> {
  const job: AnyJob = JOBS[kind];
  const found: Record<string, string> = {};
  const kept = KEPT[kind];
  if (kept !== undefined && options[kept] === undefined) found[kept] = join(folder, `${kept}.jsonl`);
  const writes = productOptions(kind);
  const wanted = writes.filter((each) => job.options[each].required);
  const usual = USUAL[kind];
  const namesNone = writes.every((each) => options[each] === undefined);
  if (usual !== undefined && !isDryRun(options) && (namesNone || kind === 'prune')) wanted.push(usual);
  for (const each of wanted.filter((option) => options[option] === undefined)) {
    const end = kind === 'export' && isGguf(options) ? '.gguf' : (ENDS[each] ?? '');
    found[each] = join(folder, `${name}${end}`);
  }
  return found;
}

/** Whether a step only says what it would write. */
const isDryRun = ({ dryRun }: JsonObject): boolean => dryRun === true;

const isGguf = ({ format }: JsonObject): boolean => format === 'gguf';

/** Whether a step has a main output. */
export const hasMainOutput = (kind: Kind, options: JsonObject): boolean =>
  kind === 'score' || (productOptions(kind).length > 0 && !isDryRun(options));
