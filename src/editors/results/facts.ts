/** The model and its plan as the panel shows them. */
import { parametersOf, meanLayerParameters, parametersReadOf } from '../../engine/checkpoint/parameters';
import { requireArchitecture } from '../../engine/checkpoint/open';
import { blockBytes, moreWhenWritten } from '../../engine/checkpoint/reduction';
import { summarize } from '../../engine/checkpoint/summary';
import { modelName } from '../../engine/records/record';
import { noHealingWords } from '../../host/ask/no-healing';
import { savingWords } from '../../jobs/saving-words';
import { jobWord } from '../../jobs/titles';
import type { JobInfo, JobSpec } from '../../protocol/jobs';
import type { PanelJob, PanelModel, PanelPlan } from '../../protocol/panel';
import { planEffect } from '../../jobs/plan-effect';
import { planWarning } from '../../state/plan-warning';
import { protectionOf } from '../../state/protection';
import type { Scores } from '../../state/scores';
import type { Together } from '../../state/together';
import type { PlanHistory } from './plan-history';
import type { PanelSettings, PanelCheckpoint } from './services';

export function modelOf({ path, checkpoint }: PanelCheckpoint): PanelModel {
  const architecture = requireArchitecture(checkpoint);
  const blocks = architecture.layers.length;
  const parameters = parametersOf(architecture);
  return {
    name: modelName(checkpoint),
    path,
    blocks,
    parameters,
    identity: checkpoint.identity,
    parametersPerBlock: meanLayerParameters(architecture),
    parametersRead: parametersReadOf(architecture),
    bytes: checkpoint.size.all,
    blockBytes: blockBytes(checkpoint),
    bytesMore: moreWhenWritten(checkpoint),
    saving: savingWords(summarize(checkpoint)) ?? null,
    noHealing: noHealingWords(architecture) ?? null,
  };
}

/** @param scores the scores in the tree, for a warning @param healingTime how long a quick healing takes, in words */
export function planOf(
  { checkpoint }: PanelCheckpoint,
  removed: readonly number[],
  history: PlanHistory,
  { keepEnds, keep }: Pick<PanelSettings, 'keepEnds' | 'keep'>,
  scores: Scores | undefined,
  healingTime: (removed: readonly number[]) => string,
): PanelPlan {
  const protection = protectionOf(requireArchitecture(checkpoint).layers, { keepEnds, keep });
  const { kept, locked } = protection;
  const { parametersAfter, bytesAfter, speedup } = planEffect(checkpoint, removed);
  return {
    removed,
    protected: [...kept].sort((a, b) => a - b),
    locked: [...locked].sort((a, b) => a - b),
    canUndo: history.canUndo,
    canRedo: history.canRedo,
    parameters: parametersAfter,
    bytes: bytesAfter,
    speedup,
    healingTime: removed.length > 0 ? healingTime(removed) : '',
    warning: planWarning(removed, scores, protection) ?? null,
  };
}

/** Where the jobs are known. */
export interface JobSource {
  readonly jobs: readonly JobInfo[];
  specOf(id: string): JobSpec | undefined;
}

/** Jobs that are one for the user, in the place of the one among them that runs. */
export function withTogether(path: string, jobs: readonly PanelJob[], together: readonly Together[]): PanelJob[] {
  const ours = together.filter(({ checkpoint }) => checkpoint === path);
  const parts = ours.map(({ part }) => part);
  return [
    ...ours.map(({ id, kind, word, progress }) => ({ id, kind, word, state: 'running' as const, progress })),
    ...jobs.filter(({ id }) => !parts.includes(id)),
  ];
}

/** The jobs of the checkpoint, as the panel shows them. @param nameOf the name of a file for the user */
export function jobsOf(path: string, source: JobSource, nameOf: (file: string) => string): PanelJob[] {
  return (
    source.jobs
      // The first job does not wait.
      .map((job, place) => ({ ...job, state: place === 0 ? ('running' as const) : job.state }))
      .filter(({ checkpoint }) => checkpoint === path)
      .map(({ id, kind, state, progress }) => ({
        id,
        kind,
        word: jobWord(kind),
        state,
        ...(progress && { progress }),
        ...scoredText(source.specOf(id), nameOf),
      }))
  );
}

/** The text of a scoring, which need not be the one that the panel measures on. */
function scoredText(spec: JobSpec | undefined, nameOf: (file: string) => string): Pick<PanelJob, 'text'> {
  if (spec?.kind !== 'score' || spec.calibration === undefined) return {};
  const { calibration, samples, length } = spec;
  const drawn = samples === undefined || length === undefined ? [] : [`${samples}×${length}`];
  return { text: [nameOf(calibration), ...drawn].join(' · ') };
}
