/**
 * The way from a model to one that ships: which step comes next, and whether the goal is met. One primary action at a time
 * follows from the facts alone, so tree and panel say the same. Pure.
 */
import type { Judgement } from '../engine/records/before-after/judgement';
import { repeatsMuch } from '../engine/records/repetition';
import type { JsonNumber } from '../format/json';
import {
  type Faster,
  type Journey,
  type Judged,
  type NextAction,
  type ShipGoal,
  type StepName,
  STEPS,
  type Verdict,
} from '../protocol/journey';
import { madeAs } from './words/made-words';

/** Another model of the family. */
export interface Member {
  readonly path: string;
  readonly name: string;
}

/** What is known of a model. */
export interface JourneyFacts extends Omit<Judgement, 'ratio'> {
  readonly goal?: ShipGoal;
  /** In place of a goal. */
  readonly faster?: Faster;
  /** Coppice made it from another model. */
  readonly derived: boolean;
  /** How it was made. */
  readonly kind?: string;
  /** Its blocks have scores. */
  readonly scored: boolean;
  /** A plan removes blocks. */
  readonly planned: boolean;
  /**
   * The weights have types that only GGUF files have. A plan is exported as it is: to be pruned, the model would have to be
   * converted to float32 and become several times as large. Pruning asks whether to heal it before.
   */
  readonly quantized?: boolean | 'healable';
  /** The newest export with exactly the plan's blocks removed. */
  readonly exportedPlan?: Member;
  /** The newest model that was written with exactly the plan's blocks removed. */
  readonly written?: Member;
  /** The newest adapter that was trained on it; where there is a plan, one that was trained without the plan's blocks. */
  readonly adapter?: string;
  /** The newest model that was made by merging an adapter into it. */
  readonly merged?: Member;
  /** The newest export of it: a GGUF file or a folder. */
  readonly exported?: Member;
  /** Perplexity, size and texts of this model and the original were measured alike. */
  readonly compared: boolean;
  readonly skipped: readonly StepName[];
  /** Bytes of the export in the goal's format; of the plan where there is one. */
  readonly bytes?: number;
  /** Perplexity relative to the original; of the plan where there is one. */
  readonly ratio?: JsonNumber;
}

export function journeyOf(facts: JourneyFacts): Journey {
  const verdict = verdictOf({ ...facts, planned: facts.planned || !facts.derived });
  if (facts.faster) return fasterJourney(facts.faster, verdict);
  const done = doneSteps(facts);
  const leftOut = leftOutSteps(facts, verdict, done);
  const next = nextOf(facts, verdict, leftOut);
  const at = stepOf(next, facts);
  return {
    goal: facts.goal ?? null,
    steps: STEPS.map((name) => ({
      name,
      state: name === at ? 'next' : done.has(name) ? 'done' : (leftOut.get(name) ?? 'later'),
    })),
    next,
    skippable: next.action === 'retrain',
    instead: leftOut.get('retrain') === 'skipped' && verdict.ratio.met === false ? 'retrain' : null,
    judgeable: facts.goal !== undefined && verdict.flatters && verdict.meets === 'unknown',
    verdict,
  };
}

/** The text stays the model's own, so that none of the steps to a smaller model is needed. */
const fasterJourney = (faster: Faster, verdict: Verdict): Journey => ({
  ...{ goal: null, faster, verdict, next: { action: 'draft' } },
  steps: STEPS.map((name) => ({ name, state: 'unneeded' })),
  ...{ skippable: false, instead: null, judgeable: false },
});

/** What decides whether a goal is met. */
export type VerdictFacts = Pick<
  JourneyFacts,
  'goal' | 'bytes' | 'ratio' | 'byBits' | 'flatters' | 'repetition' | 'same' | 'probeLoss'
> & {
  /** Nothing is written yet. */
  readonly planned?: boolean;
};

/** Whether a model of this size and quality meets the goal. */
export function verdictOf({ goal, bytes, ratio, planned = false, ...facts }: VerdictFacts): Verdict {
  const { flatters = false, byBits = false, repetition, same, probeLoss } = facts;
  const size = judged(bytes, goal?.maxBytes);
  const quality = doubted(judged(ratio, goal?.maxRatio), flatters);
  // Nobody has read a text of a plan.
  const more = repetition && Math.max(0, repetition.own - repetition.original);
  const repeating = judged(more, planned ? undefined : goal?.maxRepetition);
  const agreeing = doubted(atLeast(same, planned ? undefined : goal?.minSame), flatters);
  const probing = judged(probeLoss, planned ? undefined : goal?.maxProbeLoss);
  const limited = [size, quality, repeating, agreeing, probing].filter(({ limit }) => limit !== null);
  const meets = limited.some(({ met }) => met === false)
    ? 'no'
    : limited.length > 0 && limited.every(({ met }) => met)
      ? 'yes'
      : 'unknown';
  return {
    ...{ meets, planned, bytes: size, ratio: quality, byBits: byBits && ratio !== undefined },
    flatters: flatters && ratio !== undefined,
    repetition: repeating,
    repeats: repetition !== undefined && goal?.maxRepetition === undefined && repeatsMore(repetition),
    same: agreeing,
    probeLoss: probing,
  };
}

/** So much more than the original is told even where the goal has no limit for it. */
const MORE = 0.1;

const repeatsMore = ({ own, original }: NonNullable<Judgement['repetition']>): boolean =>
  repeatsMuch(own) && own > original + MORE;

/** A number that is too good can miss a limit, and meet none. */
const doubted = <T>(all: Judged<T>, flatters: boolean): Judged<T> =>
  flatters && all.met === true ? { ...all, met: null } : all;

const atLeast = (value: number | undefined, limit: number | undefined): Judged<number> => ({
  value: value ?? null,
  limit: limit ?? null,
  met: value === undefined || limit === undefined ? null : value >= limit,
});

/** A value that is not finite meets no limit. */
function judged<T extends JsonNumber>(value: T | undefined, limit: number | undefined): Judged<T> {
  const known = value === undefined || limit === undefined ? null : typeof value === 'number' && value <= limit;
  return { value: value ?? null, limit: limit ?? null, met: known };
}

/** Only its vocabulary was trimmed: it has all blocks of the model that it was made from, and no weight is another. */
const isTrimmed = ({ kind }: Pick<JourneyFacts, 'kind'>): boolean => kind === 'vocabulary';

/** Whether blocks are to go: not of a model that was made without some, nor of a trimmed one that is small enough. */
const losesBlocks = (facts: JourneyFacts, { bytes }: Verdict): boolean =>
  !facts.derived || facts.planned || (isTrimmed(facts) && bytes.met === false);

/** Whether a trimmed file is what the goal asks for: rows were copied, so that it needs no export. */
const shipsAsIs = ({ quantized = false, goal, ...facts }: JourneyFacts): boolean =>
  isTrimmed(facts) && quantized !== false && keepsTypes(goal);

function doneSteps(facts: JourneyFacts) {
  const { derived, kind, scored, planned, written, merged, exported, compared } = facts;
  const isShorter = derived && !isTrimmed(facts);
  const isDone: Readonly<Record<StepName, boolean>> = {
    score: scored || isShorter,
    plan: planned || isShorter,
    prune: written !== undefined || isShorter,
    retrain: madeAs(kind) === 'trained' || merged !== undefined,
    export: (exportsPlan(facts) ? facts.exportedPlan : exported) !== undefined || madeAs(kind) === 'exported',
    compare: compared && derived,
  };
  return new Set(STEPS.filter((step) => isDone[step]));
}

/** Whether the plan is not pruned but exported. */
const exportsPlan = ({ planned, quantized = false, written, adapter }: JourneyFacts): boolean =>
  planned && quantized !== false && !written && adapter === undefined;

/** Whether that would miss the goal, and healing may help. */
const healsPlan = (facts: JourneyFacts): boolean =>
  exportsPlan(facts) &&
  facts.quantized === 'healable' &&
  facts.exportedPlan === undefined &&
  judged(facts.ratio, facts.goal?.maxRatio).met === false;

type LeftOut = ReadonlyMap<StepName, 'skipped' | 'unneeded'>;

function leftOutSteps(facts: JourneyFacts, verdict: Verdict, done: ReadonlySet<StepName>): LeftOut {
  const { skipped, kind, planned, adapter } = facts;
  const { ratio, flatters } = verdict;
  const out = new Map<StepName, 'skipped' | 'unneeded'>(skipped.map((step) => [step, 'skipped']));
  if (exportsPlan(facts) && !healsPlan(facts)) out.set('prune', 'unneeded');
  // What is exported is no longer trained, and what meets the goal need not be.
  // A comparison on another text may show that it needs it after all.
  const seemsMet = flatters && ratio.limit !== null && ratio.met === null;
  if (ratio.met || seemsMet || madeAs(kind) === 'exported') out.set('retrain', 'unneeded');
  if (planned && adapter !== undefined) out.set('prune', 'unneeded'); // merging prunes too
  if (isTrimmed(facts) && !losesBlocks(facts, verdict)) {
    for (const step of ['score', 'plan', 'prune', 'retrain'] as const) out.set(step, 'unneeded');
    if (shipsAsIs(facts)) out.set('export', 'unneeded');
  }
  for (const step of done) out.delete(step);
  return out;
}

function nextOf(facts: JourneyFacts, verdict: Verdict, leftOut: LeftOut): NextAction {
  const { kind, scored, planned, written, adapter, merged, exported, compared } = facts;
  if (losesBlocks(facts, verdict)) {
    if (planned && written) return open(written);
    if (healsPlan(facts)) return { action: 'prune' };
    if (exportsPlan(facts)) return exportOfPlan(facts);
    // Merging writes the pruned and retrained model in one go.
    if (planned && adapter !== undefined) return { action: 'merge', adapter };
    if (planned) return { action: 'prune' };
    return { action: scored ? 'suggest' : 'score' };
  }
  if (merged) return open(merged);
  if (adapter !== undefined) return { action: 'merge', adapter };
  if (madeAs(kind) !== 'trained' && !leftOut.has('retrain')) return { action: 'retrain' };
  if (madeAs(kind) !== 'exported' && !exported && !leftOut.has('export')) return { action: 'export' };
  return { action: compared ? 'code' : 'compare' };
}

function exportOfPlan({ exportedPlan, goal }: JourneyFacts): NextAction {
  if (exportedPlan) return open(exportedPlan);
  return { action: 'export', ...(keepsTypes(goal) && { keepsTypes: true }) };
}

/** Whether a GGUF file that keeps the types of its weights is what the goal asks for. */
const keepsTypes = (goal: ShipGoal | undefined): boolean =>
  goal === undefined || (goal.format === 'gguf' && goal.type === undefined);

const open = ({ path, name }: Member): NextAction => ({ action: 'open', path, name });

/** The step that an action belongs to; undefined once everything is done. */
function stepOf(next: NextAction, facts: JourneyFacts): StepName | undefined {
  switch (next.action) {
    case 'score':
    case 'prune':
    case 'retrain':
    case 'export':
    case 'compare':
      return next.action;
    case 'suggest':
      return 'plan';
    case 'merge':
      return 'retrain';
    case 'open':
      return exportsPlan(facts) ? 'compare' : facts.merged ? 'export' : 'retrain';
    default:
      return undefined;
  }
}
