/** Chooses the runs that become steps: those the user named, or those that lead to the plan. Pure. */
import { JOBS } from '../../jobs/definitions';
import { isOnModel, sameParts, type StepRun, wayInto } from './runs';
import type { SaveRequest } from './request';

/** @param runs oldest first @returns oldest first, without what they need */
export function chosenRuns({ chosen, plan, model }: SaveRequest, runs: readonly StepRun[]): StepRun[] {
  if (chosen !== undefined) return runs.filter(({ id }) => chosen.includes(id));
  const removed = plan?.removed ?? [];
  const own = runs.filter((run) => isOnModel(run, model.identity));
  const first = own.filter((run) => (removed.length === 0 ? true : isAbout(run, removed)));
  const found = new Set(first);
  // What was made goes on: each pass finds the runs that read what the last one found.
  for (let grows = true; grows;) {
    const outs = [...found].flatMap(({ writes }) => Object.values(writes));
    const more = runs.filter((run) => !found.has(run) && run.reads.some((path) => isAmong(path, outs)));
    more.forEach((run) => found.add(run));
    grows = more.length > 0;
  }
  const whole = own.filter((run) => isWhole(run) && JOBS[run.kind].measures === true);
  for (const run of whole) if ([...found].some((other) => measuresAlike(run, other))) found.add(run);
  return runs.filter((run) => found.has(run));
}

/** Whether the run is about the model without these blocks. A model beside it may be whole. */
function isAbout({ kind, removed, options }: StepRun, blocks: readonly number[]): boolean {
  if (kind === 'score' || kind === 'curve') return false; // the plan says by which of them it was chosen
  if (Array.isArray(options.columns)) {
    const lists = (options.columns as readonly { readonly remove?: readonly (number | string)[] }[]).map(
      ({ remove = [] }) => remove,
    );
    const rest = lists.filter((list) => list.length > 0);
    return rest.length > 0 && rest.every((list) => sameParts(list, blocks));
  }
  return sameParts(removed, blocks);
}

const isWhole = ({ removed, options }: StepRun): boolean =>
  removed.length === 0 && [options.heal, options.adapter, options.width, options.columns].every((each) => !each);

const isAmong = (path: string, outs: readonly string[]): boolean =>
  outs.some((out) => wayInto(out, path) !== undefined);

/** Options that say which model is measured. */
const MODEL_OPTIONS: ReadonlySet<string> = new Set([
  ...['checkpoint', 'checkpoints', 'columns', 'remove', 'width', 'heal', 'adapter', 'otherBase', 'against'],
]);

/** Whether two runs measure the same of two models, so that their numbers stand beside each other. */
function measuresAlike(one: StepRun, other: StepRun): boolean {
  const how = ({ options, writes }: StepRun): string =>
    JSON.stringify(
      Object.entries(options)
        .filter(([name]) => !MODEL_OPTIONS.has(name) && writes[name] === undefined)
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    );
  return one.kind === other.kind && one !== other && how(one) === how(other);
}
