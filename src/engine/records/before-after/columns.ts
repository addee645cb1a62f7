/** Which models Before and After puts beside each other: the original, and what was made of it. */
import { namesOnTop } from '../../../format/on-top';
import type { RunDigest } from '../digest-types';
import { recordKind } from '../kinds';
import type { Fact } from './facts';
import { isWhole, type ModelRef, refOf } from './models';
import type { Written } from './written';

/** More would not fit beside each other. */
const MAX_RESULTS = 4;

export interface Found {
  readonly facts: readonly Fact[];
  readonly written: readonly Written[];
}

/** A model that a run knows only by the name of its folder is the one of this name that others know by its files. */
export function byName(facts: readonly Fact[], written: readonly Written[]): Found {
  const known = new Map<string, ModelRef>();
  for (const { model } of [...facts, ...written])
    if (model.identity !== undefined && isWhole(model)) known.set(model.name, model);
  const named = <T extends { readonly model: ModelRef }>(each: T): T => {
    const same = each.model.identity === undefined && isWhole(each.model) ? known.get(each.model.name) : undefined;
    return same ? { ...each, model: same } : each;
  };
  return { facts: facts.map(named), written: written.map(named) };
}

/** The model that others are compared with: the named one, one that runs compared with, or a source of runs that cut. */
export function originalOf(
  { facts, written }: Found,
  runs: readonly RunDigest[],
  identity?: string,
): ModelRef | undefined {
  const named = runs.flatMap(({ model, quality = [] }) => [
    refOf({ ...model, removed: [] }),
    ...quality.flatMap(({ against }) => (against ? [refOf({ ...against, name: against.model, removed: [] })] : [])),
  ]);
  const whole = [...[...facts, ...written].map(({ model }) => model).filter(isWhole), ...named];
  if (identity !== undefined) return whole.find((model) => model.identity === identity);
  const against = runs.flatMap(({ quality = [] }) => quality.flatMap((each) => each.against?.identity ?? []));
  const firsts = runs.flatMap(({ tasks }) =>
    tasks && tasks.models.length > 1 ? (tasks.models[0].identity ?? []) : [],
  );
  const sources = runs.flatMap(({ kind, model }) => (recordKind(kind).cuts ? (model.identity ?? []) : []));
  const changed = [...facts, ...written].flatMap(({ model }) => (isWhole(model) ? [] : (model.identity ?? [])));
  const wanted = [...against, ...firsts, ...sources, ...changed].map((each) =>
    whole.find((model) => model.identity === each),
  );
  return wanted.find((model) => model !== undefined) ?? whole[0];
}

/** The model with these files, as a run or the caller names it. */
export const wholeOf = ({ facts, written }: Found, identity: string): ModelRef | undefined =>
  [...facts, ...written].map(({ model }) => model).find((model) => model.identity === identity && isWhole(model));

/**
 * The other models, plain removals first, then the earliest; of too many the newest.
 * @param last the one that the page is about; the last one by this order when undefined
 */
export function resultsOf({ facts, written }: Found, before: ModelRef, last?: ModelRef): ModelRef[] {
  const models = new Map<string, { readonly model: ModelRef; readonly started: string }>();
  const told = [...facts.filter(({ aside }) => !aside), ...written];
  for (const { model, started } of [...told].sort((a, b) => a.started.localeCompare(b.started)))
    if (model.key !== before.key && model.key !== last?.key && !models.has(model.key))
      models.set(model.key, { model, started });
  const all = [...models.values()].slice(-(last ? MAX_RESULTS - 1 : MAX_RESULTS)).map(({ model }) => model);
  return [...all.filter(isPlain), ...all.filter((model) => !isPlain(model)), ...(last ? [last] : [])];
}

/** Blocks are left out, and nothing brings back what that costs. */
const isPlain = (model: ModelRef): boolean => !isWhole(model) && namesOnTop(model).length === 0;
