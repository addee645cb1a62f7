/** Run on Cluster…: scores blocks by parts of the work that a cluster computes. */
import * as vscode from 'vscode';
import { requireCluster } from '../state/cluster-settings';
import type { ClusterRunOptions, KeptRun } from '../host/cluster/cluster-runs';
import { askParts, askPartsAt } from '../host/cluster/ask-parts';
import { chooseCheckpoint, type Chosen } from '../host/ask/choose-checkpoint';
import type { Command } from '../host/command';
import type { Coppice } from '../host/coppice';
import { keepGivenFiles } from '../host/given-files';
import { recordFolders } from '../host/jobs/record-folders';
import { followJob } from '../host/jobs/run-job';
import type { Step } from '../host/ask/steps';
import type { JobOutcome } from '../protocol/jobs';
import type { ScoreResult } from '../jobs/results/score';
import type { ScoreSpec } from '../protocol/jobs';
import { askScore, tellScored, type ScoreArguments, scoreSpec, sharing } from './score-blocks';

export interface RunOnClusterArguments extends ScoreArguments {
  readonly parts?: number;
  /** Of a run that this workspace left: goes on with it, and runs its failed parts again. */
  readonly folder?: string;
  /** Its failed parts stay failed. */
  readonly looks?: boolean;
}

export const runOnClusterCommand: Command<RunOnClusterArguments> = {
  id: 'coppice.runOnCluster',
  needsTrust: true,
  async run(coppice, args, settle) {
    const left = coppice.cluster.left.find(({ folder }) => folder === args.folder);
    if (left) return goOn(coppice, args, left, settle);
    const title = vscode.l10n.t('Run on Cluster');
    const settings = requireCluster(coppice.config.cluster);
    const chosen = await chooseCheckpoint(coppice, args, title);
    const specOf = (given: ScoreArguments): ScoreSpec => ({
      ...scoreSpec(coppice, chosen, given),
      ...(args.device && { device: args.device }),
    });
    const partsStep: Step<RunOnClusterArguments> = async (state, place) => {
      return { parts: await askPartsAt(place, settings, specOf(state), coppice.speeds) };
    };
    const further = args.parts === undefined ? [partsStep] : [];
    const asked: RunOnClusterArguments = await askScore(coppice, args, chosen, title, further);
    const scoring: RunOnClusterArguments = await sharing(coppice, chosen, asked);
    const spec = specOf(scoring);
    const parts = scoring.parts ?? (await askParts(settings, spec, title, coppice.speeds));
    const complete = { ...scoring, checkpoint: chosen.path, parts };
    settle(complete);
    const onFolder = (folder: string): void => settle({ ...complete, folder });
    return scoreOnCluster(coppice, chosen, complete, spec, (around) =>
      coppice.cluster.run({ ...spec, records: recordFolders(coppice) }, { settings, parts }, { ...around, onFolder }),
    );
  },
};

/** @throws UserError when the checkpoint is gone */
async function goOn(
  coppice: Coppice,
  args: RunOnClusterArguments,
  left: KeptRun,
  settle: (args: object) => void,
): Promise<ScoreResult> {
  const { folder } = left;
  settle({ folder });
  const spec = left.spec as ScoreSpec;
  const chosen = await chooseCheckpoint(coppice, { checkpoint: spec.checkpoint }, vscode.l10n.t('Run on Cluster'));
  return scoreOnCluster(coppice, chosen, args, spec, (around) =>
    coppice.cluster.takeUp(left, around, args.looks !== true),
  );
}

async function scoreOnCluster(
  coppice: Coppice,
  chosen: Chosen,
  args: RunOnClusterArguments,
  spec: ScoreSpec,
  run: (around: ClusterRunOptions) => Promise<JobOutcome>,
): Promise<ScoreResult> {
  void keepGivenFiles(coppice, spec);
  const finished = await followJob(coppice, spec, (around) => run(around) as Promise<JobOutcome<'score'>>);
  return tellScored(coppice, chosen, args, finished);
}
