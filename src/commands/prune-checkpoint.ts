/** Prune Checkpoint…: writes the plan as a new checkpoint and shows it in the tree. */
import * as vscode from 'vscode';
import type { Coppice } from '../host/coppice';
import { UserError } from '../engine/errors';
import type { Choice } from '../engine/importance/choice';
import { selectExplicit } from '../engine/importance/select';
import type { PruneSpec } from '../protocol/jobs';
import { planEffect } from '../views/plan-effect';
import { planWarning } from '../views/plan-warning';
import { checkpointName } from '../jobs/titles';
import { requireProtection } from '../views/protection';
import { formatBytes, shortCount, formatFactor } from '../format/numbers';
import { type Chosen, chooseCheckpoint } from '../host/choose-checkpoint';
import type { Command, CommonArguments } from '../host/command';
import { inform, nextCommand } from '../host/inform';
import { askOutputFolder, outputFolder } from '../host/output-folder';
import { runJob } from '../host/run-job';
import { showCheckpoint } from '../host/show-checkpoint';
import { askAll, BACK, type Step } from '../host/steps';

export interface PruneArguments extends CommonArguments {
  /** Blocks to remove; undefined uses the plan. */
  readonly blocks?: readonly number[];
  /** How the blocks were chosen; undefined means by hand. */
  readonly choice?: Choice;
  /** Folder of the new checkpoint; undefined uses the setting. */
  readonly out?: string;
}

export const pruneCheckpointCommand: Command<PruneArguments> = {
  id: 'coppice.pruneCheckpoint',
  needsTrust: true,
  async run(coppice, args, settle) {
    const title = vscode.l10n.t('Prune Checkpoint');
    const chosen = await chooseCheckpoint(coppice, args, title, { prefers: 'plan' });
    const blocks = blocksOf(coppice, args, chosen);
    const choice = args.blocks === undefined ? coppice.plans.choice(chosen.subject) : (args.choice ?? 'hand');
    const { out } = args.out === undefined ? await askFolder(coppice, args, chosen, blocks, title) : args;
    settle({ ...args, checkpoint: chosen.path, blocks, choice, out });
    const spec: PruneSpec = {
      kind: 'prune',
      checkpoint: chosen.path,
      blocks,
      out: out!,
      choice,
    };
    const { result, unwatched } = await runJob(coppice, spec, { device: args.device });
    await showCheckpoint(coppice, result.out);
    await vscode.commands.executeCommand('setContext', 'coppice.did.prune', true);
    if (unwatched) {
      const { kept, out } = result;
      const name = checkpointName(out);
      const text =
        kept.length === 1
          ? vscode.l10n.t('Pruned to 1 block: {0}.', name)
          : vscode.l10n.t('Pruned to {0} blocks: {1}.', kept.length, name);
      inform(args, text, nextCommand(vscode.l10n.t('Open Results'), 'coppice.openResults', { checkpoint: out }));
    }
    return result;
  },
};

/** @throws UserError when there is nothing to remove, or a locked block is named */
function blocksOf(
  { plans, config }: Coppice,
  { blocks: named }: PruneArguments,
  { architecture, subject }: Chosen,
): number[] {
  const blocks = named ?? plans.removed(subject);
  if (blocks.length === 0) {
    throw new UserError(
      vscode.l10n.t('Nothing to prune'),
      vscode.l10n.t('all blocks are kept'),
      vscode.l10n.t(
        'Clear the checkboxes of blocks in the Checkpoints view, or run “Coppice: Suggest Blocks to Prune…”.',
      ),
    );
  }
  return selectExplicit(blocks, architecture.layers.length, [
    ...requireProtection(architecture.layers.length, config).locked,
  ]);
}

async function askFolder(
  { config, scores }: Coppice,
  args: PruneArguments,
  { checkpoint, architecture, subject }: Chosen,
  blocks: readonly number[],
  title: string,
): Promise<PruneArguments> {
  const kept = architecture.layers.length - blocks.length;
  const { parametersAfter, bytesAfter, speedup } = planEffect(checkpoint, blocks);
  const protection = requireProtection(architecture.layers.length, config);
  const warning = planWarning(blocks, scores.shown(subject), protection);
  const step: Step<PruneArguments> = async (_, place) => {
    const out = await askOutputFolder(place, {
      prompt: vscode.l10n.t('Folder for the new checkpoint'),
      value: outputFolder(config.outputFolder, checkpoint, `${kept}-blocks`),
      meaning: () =>
        [
          vscode.l10n.t(
            'Removes {0}: {1} parameters, {2}, about {3} as fast. Press Enter to write it.',
            blocks.join(', '),
            shortCount(parametersAfter),
            formatBytes(bytesAfter),
            formatFactor(speedup),
          ),
          ...(warning === undefined ? [] : [vscode.l10n.t('Warning: the plan {0}.', warning)]),
        ].join(' '),
      warns: warning !== undefined,
    });
    return out === BACK ? BACK : { out };
  };
  return askAll(title, args, [step]);
}
