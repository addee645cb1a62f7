/** Merge LoRA Adapter…: writes a checkpoint with an adapter merged into its weights. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import type { Coppice } from '../host/coppice';
import { ADAPTERS, FittingList } from '../editors/results/fitting-list';
import type { Checkpoint } from '../engine/checkpoint/types';
import type { MergeSpec } from '../protocol/jobs';
import { checkpointName } from '../jobs/titles';
import { timeWords } from '../host/ask/job-time';
import { chooseCheckpoint } from '../host/ask/choose-checkpoint';
import { pickOrBrowse } from '../host/ask/choose-file';
import type { Command, CommonArguments, JobArguments } from '../host/command';
import { checkpointBytes, requireSpace } from '../host/ask/disk-space';
import { hintAtGit } from '../host/git-hint';
import { compareStep, inform, nextCommand } from '../host/inform';
import { askOutputFolder, outputFolder } from '../host/ask/output-folder';
import { recall, remember } from '../host/ask/remembered';
import { runJob } from '../host/jobs/run-job';
import { askAll, type Step } from '../host/ask/steps';

export interface MergeArguments
  extends CommonArguments, JobArguments<'merge', 'adapter' | 'out' | 'dtype' | 'otherBase'> {}

export const mergeAdapterCommand: Command<MergeArguments> = {
  id: 'coppice.mergeAdapter',
  needsTrust: true,
  async run(coppice, args, settle) {
    const title = vscode.l10n.t('Merge LoRA Adapter');
    const { path, checkpoint } = await chooseCheckpoint(coppice, args, title, {
      takes: async (each) => (await adaptersOf(coppice, each.checkpoint, args)).length > 0,
    });
    const bytes = await checkpointBytes(checkpoint, []);
    const outStep: Step<MergeArguments> = async (_, place) => {
      const value = outputFolder(coppice.config.outputFolder, checkpoint, 'retrained');
      const time = timeWords(coppice, { path, checkpoint }, { kind: 'merge', checkpoint: path });
      const out = await askOutputFolder(place, {
        prompt: vscode.l10n.t('Folder for the new checkpoint'),
        value,
        bytes,
        meaning: () => vscode.l10n.t('Takes {0}. Press Enter to start.', time),
      });
      return { out };
    };
    const steps = [
      ...(args.adapter === undefined ? [adapterStep(coppice, checkpoint)] : []),
      ...(args.out === undefined ? [outStep] : []),
    ];
    const complete = await askAll(title, args, steps);
    if (args.adapter === undefined) await remember(coppice, 'merge', { adapter: complete.adapter });
    settle({ ...complete, checkpoint: path });
    const { adapter, out, dtype, otherBase } = complete;
    requireSpace(out!, bytes);
    const spec: MergeSpec = { kind: 'merge', checkpoint: path, adapter: adapter!, out: out!, dtype, otherBase };
    const { result, unwatched } = await runJob(coppice, spec, { device: args.device });
    void hintAtGit(coppice, args, result.out);
    if (unwatched) {
      const text = vscode.l10n.t('Merged the adapter into {0}.', checkpointName(result.out));
      const open = nextCommand(vscode.l10n.t('Open Results'), 'coppice.openResults', { checkpoint: result.out });
      inform(args, text, compareStep(result.out), open);
    }
    return result;
  },
};

/** The adapters of the workspace that fit a model, or the given one if it does. */
async function adaptersOf(
  { library }: Coppice,
  checkpoint: Checkpoint,
  { adapter }: Pick<MergeArguments, 'adapter'> = {},
): Promise<readonly string[]> {
  const list = new FittingList(checkpoint, ADAPTERS);
  await list.refresh(adapter === undefined ? library.adapters() : [adapter]);
  return list.fitting;
}

function adapterStep(coppice: Coppice, checkpoint: Checkpoint): Step<MergeArguments> {
  return async (_, place) => {
    const known = (await adaptersOf(coppice, checkpoint)).map((path) => ({
      label: basename(path),
      description: vscode.workspace.asRelativePath(path),
      value: path,
    }));
    const browse = (): Thenable<vscode.Uri[] | undefined> =>
      vscode.window.showOpenDialog({ title: place.title, canSelectFolders: true, canSelectFiles: false });
    const before = recall(coppice, 'merge', 'adapter', '');
    const [last] = before === '' ? [] : await adaptersOf(coppice, checkpoint, { adapter: before });
    return { adapter: await pickOrBrowse(place, vscode.l10n.t('Select an adapter'), known, browse, last) };
  };
}
