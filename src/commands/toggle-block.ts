/** Remove or Keep Block: toggles blocks of the view by keyboard. */
import * as vscode from 'vscode';
import type { Coppice } from '../host/coppice';
import { toggle } from '../views/boxes';
import { requireProtection } from '../state/protection';
import { scoreWords } from '../state/words/score-words';
import { type Chosen, chooseCheckpoint } from '../host/ask/choose-checkpoint';
import type { Command, CommonArguments } from '../host/command';
import { blocksOfLines, lockedError } from '../host/line-blocks';
import { askAll, pick, type Step } from '../host/ask/steps';

export interface ToggleArguments extends CommonArguments {
  readonly blocks?: readonly number[];
}

export const toggleBlockCommand: Command<ToggleArguments> = {
  id: 'coppice.toggleBlock',
  takesSeveral: true,
  async run(coppice, args) {
    const named = args.checkpoint !== undefined || args.blocks !== undefined;
    const lines = args.lines ?? (named ? [] : coppice.tree.selectedLines);
    const byCheckpoint = blocksOfLines(lines);
    if (byCheckpoint.size === 0) {
      if (args.lines) return undefined; // a key on a line without a checkbox
      const chosen = await chooseCheckpoint(coppice, args, vscode.l10n.t('Remove or Keep Block'));
      return toggleIn(coppice, chosen, args.blocks ?? (await askBlock(coppice, chosen)));
    }
    for (const [checkpoint, blocks] of byCheckpoint) {
      const chosen = await chooseCheckpoint(coppice, { checkpoint }, '');
      toggleIn(coppice, chosen, blocks);
    }
    return undefined;
  },
};

/** @returns the plan @throws UserError when some of the blocks are locked; the others are toggled */
function toggleIn(
  { plans, config }: Coppice,
  { architecture, subject }: Chosen,
  blocks: readonly number[],
): readonly number[] {
  const { locked } = requireProtection(architecture.layers, config);
  const refused = toggle(plans, subject, blocks, locked);
  if (refused.length === 0) return plans.removed(subject);
  throw lockedError(refused);
}

async function askBlock(coppice: Coppice, { architecture, subject }: Chosen): Promise<readonly number[]> {
  const removed = new Set(coppice.plans.removed(subject));
  const scores = coppice.scores.shown(subject);
  const choices = Array.from({ length: architecture.layers.length }, (_, block) => ({
    label: vscode.l10n.t('Block {0}', block),
    description: [
      scores && scoreWords(scores, block),
      removed.has(block) ? vscode.l10n.t('will be removed') : vscode.l10n.t('kept'),
    ]
      .filter(Boolean)
      .join(' · '),
    value: block,
  }));
  const step: Step<{ readonly block?: number }> = async (_, place) => {
    return { block: await pick(place, vscode.l10n.t('Select a block to remove or keep'), choices) };
  };
  const { block } = await askAll(vscode.l10n.t('Remove or Keep Block'), {}, [step]);
  return [block!];
}
