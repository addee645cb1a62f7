/** What a report's runs tell, as the state that the panel's parts show. */
import type { CurveDigest, PanelModel, PanelPlan, PanelRun, PanelState, WhatIfState } from '../../src/protocol/panel';
import { numeric } from '../panel/numbers';

/** @param runs of one model */
export function stateOf(name: string, runs: readonly PanelRun[]): PanelState {
  const model = modelOf(name, runs);
  const chosen = chosenOf(runs);
  return {
    model,
    family: { parent: null, children: [] },
    text: null,
    plan: planOf(model, chosen),
    whatIf: measuredOf(runs, chosen),
    runs,
    ...{ unreadable: [], jobs: [], columns: [], prompts: [], ownPrompts: [], chat: false },
    ...{ training: null, writing: null, comparison: null, failure: null, trusted: true },
  };
}

/** As far as they tell. */
function modelOf(name: string, runs: readonly PanelRun[]): PanelModel {
  const curves = runs.flatMap(({ digest }) => digest.curve ?? []);
  const points = curves.flatMap((curve) => curve.points);
  const costs = runs.flatMap(({ digest }) => digest.cost?.[0] ?? []);
  const whole = points.find(({ count }) => count === 0)?.parameters ?? costs[0]?.parameters ?? 0;
  const one = points.find(({ count }) => count === 1)?.parameters ?? whole;
  const blocks = Math.max(0, ...runs.flatMap(({ digest }) => digest.score?.blocks.map(({ index }) => index + 1) ?? []));
  return {
    ...{ name, path: '', blocks, parameters: whole, parametersPerBlock: whole - one },
    // Records of before this was told: right for models whose embedding is the head too.
    parametersRead: curves.find(({ parametersRead }) => parametersRead !== undefined)?.parametersRead ?? whole,
    bytes: costs[0]?.bytes ?? 0,
    identity: runs[0].digest.model.identity ?? '',
  };
}

/** The blocks that were taken out in the end: of the last run that made a model. */
function chosenOf(runs: readonly PanelRun[]): readonly number[] {
  const made = runs.filter(({ digest: { kind } }) => kind === 'prune' || kind === 'retrain' || kind === 'demo');
  const lists = made.map(({ digest }) => digest.removed.filter((block) => typeof block === 'number'));
  return lists.filter((list) => list.length > 0).at(-1) ?? [];
}

function planOf({ parameters, parametersPerBlock, parametersRead }: PanelModel, removed: readonly number[]): PanelPlan {
  const gone = removed.length * parametersPerBlock;
  return {
    ...{ removed, protected: [], locked: [], canUndo: false, canRedo: false, warning: null },
    parameters: parameters - gone,
    bytes: 0,
    speedup: parametersRead / (parametersRead - gone),
  };
}

/** What a curve says of the whole model and of what was chosen: one curve, for others are of other rows. */
function measuredOf(runs: readonly PanelRun[], removed: readonly number[]): WhatIfState {
  const curves = runs.filter(({ digest }) => digest.removed.length === 0).flatMap(({ digest }) => digest.curve ?? []);
  const pointOf = ({ points }: CurveDigest): CurveDigest['points'][number] | undefined =>
    removed.length > 0 ? points.find((point) => point.removed.join() === removed.join()) : undefined;
  const curve = curves.find(pointOf) ?? curves[0];
  const full = curve?.points.find(({ count }) => count === 0);
  const chosen = curve && pointOf(curve);
  return {
    ...{ status: 'done', removed, seconds: null, failure: null },
    ...{ text: curve?.text ?? null, rowsKey: curve?.rowsKey },
    full: full ? numeric(full.ppl) : null,
    ppl: chosen ? numeric(chosen.ppl) : null,
  };
}
