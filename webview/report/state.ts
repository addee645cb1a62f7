/** Makes the state of the panel's sections from the runs of a report. */
import type { Journey } from '../../src/protocol/journey';
import type { CurveDigest, PanelModel, PanelPlan, PanelRun, PanelState, WhatIfState } from '../../src/protocol/panel';
import { isFloat32 } from '../../src/format/arithmetic';
import { numeric } from '../../src/format/json';
import { runKind } from '../panel/state/run-kinds';

const NOTHING = { value: null, limit: null, met: null };

/** A report has no goal, and nothing comes next. */
const NO_JOURNEY: Journey = {
  goal: null,
  steps: [],
  next: { action: 'beforeAfter' },
  skippable: false,
  instead: null,
  judgeable: false,
  verdict: {
    meets: 'unknown',
    planned: false,
    bytes: NOTHING,
    ratio: NOTHING,
    byBits: false,
    flatters: false,
    repetition: NOTHING,
    repeats: false,
    same: NOTHING,
    probeLoss: NOTHING,
  },
};

/** @param runs of one model */
export function stateOf(name: string, runs: readonly PanelRun[]): PanelState {
  const model = modelOf(name, runs);
  const chosen = chosenOf(runs);
  return {
    model,
    kin: { parent: null, original: null, children: [] },
    namedPlans: [],
    journey: NO_JOURNEY,
    ways: null,
    times: {},
    text: null,
    plan: planOf(model, chosen),
    whatIf: measuredOf(runs, chosen),
    runs,
    unreadable: [],
    jobs: [],
    columns: [],
    prompts: [],
    ownPrompts: [],
    questions: [],
    chat: false,
    instruct: false,
    training: null,
    writing: null,
    comparison: null,
    failure: null,
    trusted: true,
    missing: false,
  };
}

/** The model, as far as the runs describe it. */
function modelOf(name: string, runs: readonly PanelRun[]): PanelModel {
  const curves = runs.flatMap(({ digest }) => digest.curve ?? []);
  const points = curves.flatMap((curve) => curve.points);
  const costs = runs.flatMap(({ digest }) => digest.cost?.[0] ?? []);
  const whole = points.find(({ count }) => count === 0)?.parameters ?? costs[0]?.parameters ?? 0;
  const one = points.find(({ count }) => count === 1)?.parameters ?? whole;
  const numbers = runs.flatMap(({ digest: { score, heal } }) => [
    ...(score?.blocks.map(({ index }) => index) ?? []),
    ...(heal ? [...heal.steps.map(({ block }) => block), ...heal.removed] : []),
  ]);
  const blocks = Math.max(0, ...numbers.filter((block) => typeof block === 'number').map((block) => block + 1));
  return {
    name,
    path: '',
    blocks,
    parameters: whole,
    parametersPerBlock: whole - one,
    // Older records lack it. The whole size is right for models whose embedding is also the head.
    parametersRead: curves.find(({ parametersRead }) => parametersRead !== undefined)?.parametersRead ?? whole,
    bytes: costs[0]?.bytes ?? 0,
    blockBytes: [],
    bytesMore: 0,
    noHealing: null,
    saving: null,
    identity: runs[0].digest.model.identity ?? '',
  };
}

/** The blocks that were finally removed: those of the last run that wrote a model. */
function chosenOf(runs: readonly PanelRun[]): readonly number[] {
  const made = runs.filter(({ digest: { kind } }) => runKind(kind).removes);
  const lists = made.map(({ digest }) => digest.removed.filter((block) => typeof block === 'number'));
  return lists.filter((list) => list.length > 0).at(-1) ?? [];
}

function planOf({ parameters, parametersPerBlock, parametersRead }: PanelModel, removed: readonly number[]): PanelPlan {
  const gone = removed.length * parametersPerBlock;
  return {
    removed,
    protected: [],
    locked: [],
    canUndo: false,
    canRedo: false,
    warning: null,
    parameters: parameters - gone,
    bytes: 0,
    speedup: parametersRead / (parametersRead - gone),
    healingTime: '',
  };
}

/** Perplexity of the whole model and of the chosen blocks, from one curve, because other curves may have other rows. */
function measuredOf(runs: readonly PanelRun[], removed: readonly number[]): WhatIfState {
  const curves = runs
    .filter(({ digest }) => digest.removed.length === 0 && isFloat32(digest.precision))
    .flatMap(({ digest }) => digest.curve ?? []);
  const pointOf = ({ points }: CurveDigest): CurveDigest['points'][number] | undefined =>
    removed.length > 0 ? points.find((point) => point.removed.join() === removed.join()) : undefined;
  const curve = curves.find(pointOf) ?? curves[0];
  const full = curve?.points.find(({ count }) => count === 0);
  const chosen = curve && pointOf(curve);
  return {
    status: 'done',
    removed,
    seconds: null,
    failure: null,
    text: curve?.text ?? null,
    rowsKey: curve?.rowsKey,
    full: full ? numeric(full.ppl) : null,
    ppl: chosen ? numeric(chosen.ppl) : null,
  };
}
