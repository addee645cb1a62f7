/** What the tree knows of the way to a model that ships: files, records, plans and goals, without any panel. */
import { basename } from 'node:path';
import { judgedSpeedup } from '../format/drafts';
import { type ReadText, withShare } from '../format/text-share';
import type { Choice } from '../engine/importance/choice';
import { beforeAfter } from '../engine/records/before-after/before-after';
import type { Judgement } from '../engine/records/before-after/judgement';
import { textsUsedIn } from '../engine/records/used-texts';
import { FORMATS } from '../engine/write/formats';
import { checkpointName } from '../jobs/titles';
import type { Faster, ShipGoal } from '../protocol/journey';
import type { RunDigest } from '../protocol/panel';
import { exportsOf } from './exported';
import { type Listing, originalIn } from './listing';
import type { Goals } from './goals';
import type { JourneyFacts, Member } from './journey';
import { judgementIn, type CutModel } from './measured';
import type { Origin } from './origins';
import type { Plans, PlanSubject } from './plan';
import { madeAs } from './words/made-words';

export interface KnownToTree {
  readonly listing: Listing;
  readonly plans: Pick<Plans, 'removed' | 'choice'>;
  readonly goals: Pick<Goals, 'goal' | 'skipped' | 'wantsFaster'>;
  /** What all runs found, newest first. */
  readonly runs: readonly RunDigest[];
}

/** Whether the job wrote a plan, or a model that was retrained. */
export const isWritten = (kind: string): boolean => ['pruned', 'trained'].includes(madeAs(kind) ?? '');

/** @param scored its blocks have scores that still hold */
export function journeyFacts(known: KnownToTree, subject: PlanSubject, scored: boolean): JourneyFacts {
  const { listing, plans, goals, runs } = known;
  const { path, identity } = subject;
  const original = originalIn(listing, path, identity);
  const origin = listing.origins.get(path);
  const removed = plans.removed(subject);
  const children = childrenOf(listing, identity);
  const written = children.find(
    (child) => isWritten(child.origin.kind) && child.origin.removed.join() === removed.join(),
  );
  const goal = goals.goal(original);
  const line = [identity, origin?.identity, original];
  const used = textsThatChose(runs, { origin, choice: plans.choice(subject), line });
  const judgement =
    original === identity && removed.length === 0
      ? {}
      : shippedJudgement(
          runs,
          { identity, removed },
          { original, used, exported: exportIn(listing, runs, identity, goal) },
        );
  return {
    ...(goal && { goal }),
    ...(goals.wantsFaster(original) && {
      faster: fasterOf(
        runs.map((digest) => ({ digest })),
        identity,
      ),
    }),
    derived: origin !== undefined,
    ...(origin && { kind: origin.kind }),
    scored,
    planned: removed.length > 0,
    ...(subject.quantized && {
      quantized: subject.quantized,
      exportedPlan: exportedPlan(children, runs, identity, removed),
    }),
    ...(removed.length > 0 && { written }),
    adapter: adapterOf(listing, path, removed),
    merged: children.find(({ origin: { kind } }) => madeAs(kind) === 'trained'),
    exported: exportsOf(listing, identity).at(0) ?? exportedFolder(runs, identity),
    compared: origin !== undefined && isCompared(runs, identity, original, used),
    skipped: goals.skipped(original, identity),
    ...judgement,
  };
}

/** The newest forecast of drafts for a model. @param runs newest first, with their ids where they are known */
export function fasterOf(
  runs: readonly { readonly digest: RunDigest; readonly id?: string }[],
  identity: string,
): Faster {
  const newest = runs.find(({ digest: { model, draft } }) => draft && model.identity === identity);
  const draft = newest?.digest.draft;
  if (!newest || !draft) return { state: 'unknown', speedup: null, program: '' };
  const { verdict: state, title: program } = draft;
  return { state, speedup: judgedSpeedup(draft), program, ...(newest.id !== undefined && { run: newest.id }) };
}

/** Where a model comes from. */
interface Descent {
  readonly origin: Origin | undefined;
  /** How the blocks of its plan were chosen. */
  readonly choice: Choice;
  /** Identities of the model, of what it was made from, and of its original. */
  readonly line: readonly (string | undefined)[];
}

/** Texts that say too little about a model or its plan: they fitted or scored it, or a model that it was made from. */
export function textsThatChose(runs: readonly RunDigest[], { origin, choice, line }: Descent): ReadText[] {
  const scored = runs.filter(({ score, model }) => score && line.includes(model.identity ?? ''));
  const planned = choice === 'hand' ? undefined : choice.calibration;
  return [
    ...(origin?.texts ?? []),
    ...(planned ? [{ sha256: planned.sha256, ...withShare(planned.share) }] : []),
    ...textsUsedIn(scored),
  ];
}

/** What a judgement depends on besides the model. */
interface Judging {
  /** Identity of the original. */
  readonly original: string;
  readonly used: readonly ReadText[];
  /** Identity of the file that was exported from the model for the goal. */
  readonly exported?: string;
}

/** Of the file that ships, if it was measured on rows that chose nothing; else of the model itself. */
export function shippedJudgement(
  runs: readonly RunDigest[],
  of: CutModel,
  { original, used, exported }: Judging,
): Judgement {
  const shipped = exported === undefined ? {} : judgementIn(runs, { identity: exported, removed: [] }, original, used);
  return shipped.ratio !== undefined && !shipped.flatters ? shipped : judgementIn(runs, of, original, used);
}

/** Identity of the newest model that was exported from one, in the format and the type of the goal. */
function exportIn(
  { origins, identities }: Listing,
  runs: readonly RunDigest[],
  identity: string,
  goal: ShipGoal | undefined,
): string | undefined {
  const made = [...origins].map(([path, origin]) => ({ path, origin }));
  const path = newestExport(made, runs, identity, goal)?.path;
  return path === undefined ? undefined : [...identities].find(([, each]) => each === path)?.[0];
}

/** The newest of these that was exported from the model, and suits the goal. */
export function newestExport<T extends { readonly path: string; readonly origin: Omit<Origin, 'name'> }>(
  made: readonly T[],
  runs: readonly RunDigest[],
  identity: string,
  goal: ShipGoal | undefined,
): T | undefined {
  const named = (path: string) => (run: RunDigest) =>
    madeAs(run.kind) === 'exported' && run.exported === basename(path);
  return made
    .filter(({ origin }) => madeAs(origin.kind) === 'exported' && origin.identity === identity)
    .filter(({ path }) => !goal || runs.some((run) => named(path)(run) && suits(run, goal)))
    .sort((a, b) => b.origin.finished.localeCompare(a.origin.finished))
    .at(0);
}

/** What was made from a model, newest first. */
function childrenOf({ origins }: Listing, identity: string): (Member & { readonly origin: Origin })[] {
  return [...origins]
    .filter(([, origin]) => origin.identity === identity)
    .map(([path, origin]) => ({ path, name: checkpointName(path), origin }))
    .sort((a, b) => b.origin.finished.localeCompare(a.origin.finished));
}

/** One that was trained on what the plan leaves. What an adapter of another program was trained on is not known. */
function adapterOf({ below, adapters }: Listing, path: string, removed: readonly number[]): string | undefined {
  const all = (below.get(`checkpoint:${path}`) ?? []).flatMap((node) => (node.kind === 'adapter' ? [node.path] : []));
  return all.find((each) => isTrainedWithout(adapters.get(each), removed));
}

/** @param origin how Coppice trained an adapter; undefined for one of another program */
export const isTrainedWithout = (origin: Origin | undefined, removed: readonly number[]): boolean =>
  origin === undefined ? removed.length === 0 : origin.removed.join() === removed.join();

/** The newest export of a model by its run: a folder of ONNX models is not a checkpoint. @param runs newest first */
export function exportedFolder(runs: readonly RunDigest[], identity: string): Member | undefined {
  const path = runs.find(({ kind, model, exported }) => {
    return madeAs(kind) === 'exported' && model.identity === identity && exported !== undefined;
  })?.exported;
  return path === undefined ? undefined : { path, name: basename(path) };
}

/** The newest export of a plan. @param runs newest first */
export function exportedPlan(
  children: readonly (Member & { readonly origin: Pick<Origin, 'kind' | 'removed'> })[],
  runs: readonly RunDigest[],
  identity: string,
  removed: readonly number[],
): Member | undefined {
  const same = (other: readonly (number | string)[]): boolean => other.join() === removed.join();
  return (
    children.find(({ origin }) => madeAs(origin.kind) === 'exported' && same(origin.removed)) ??
    exportedFolder(
      runs.filter((run) => same(run.removed)),
      identity,
    )
  );
}

/** Whether an export has the format and the type of a goal. */
export function suits(
  { settings }: Pick<RunDigest, 'settings'>,
  { format, type }: Pick<ShipGoal, 'format' | 'type'>,
): boolean {
  const told = Object.fromEntries(settings);
  return told.format === format && (told.type ?? 'stored') === (type ?? FORMATS[format].unnamed);
}

/** The bytes that an export for a goal really has, once there is one. @param runs newest first */
export function exportedBytes(
  runs: readonly RunDigest[],
  identity: string,
  removed: readonly number[],
  goal: ShipGoal,
): number | undefined {
  const run = runs.find(
    (each) =>
      madeAs(each.kind) === 'exported' &&
      each.model.identity === identity &&
      each.removed.join() === removed.join() &&
      suits(each, goal),
  );
  return run?.cost?.[0]?.bytes ?? undefined;
}

/** Nothing that decides is missing on the page that puts the model beside the original. */
export function isCompared(
  runs: readonly RunDigest[],
  identity: string,
  original: string,
  used: readonly ReadText[],
): boolean {
  if (!runs.some(({ model }) => model.identity === identity)) return false;
  const found = beforeAfter(runs, { original, subject: identity, used });
  return found?.missing.every(({ optional }) => optional) ?? false;
}
