/**
 * Remove Blocks, Keep Blocks: all selected lines at once. Remove Range of Blocks…: by numbers, with what it gives while they
 * are typed. All of them change only the plan.
 */
import * as vscode from 'vscode';
import { parseBlockList } from '../engine/checkpoint/block-list';
import { UserError } from '../engine/errors';
import { formatBytes, formatFactor, shortCount } from '../format/numbers';
import { numberRanges } from '../format/ranges';
import { type Chosen, chooseCheckpoint } from '../host/ask/choose-checkpoint';
import type { Command, CommonArguments } from '../host/command';
import type { Coppice } from '../host/coppice';
import { blocksOfLines, lockedError } from '../host/line-blocks';
import { ask, askAll, type Step } from '../host/ask/steps';
import { planEffect } from '../jobs/plan-effect';
import { requireProtection } from '../state/protection';

interface BlocksArguments extends CommonArguments {
  /** 0-based. */
  readonly blocks?: readonly number[];
}

export const removeBlocksCommand: Command<BlocksArguments> = {
  id: 'coppice.removeBlocks',
  takesSeveral: true,
  run: (coppice, args) => changeLines(coppice, args, false),
};

export const keepBlocksCommand: Command<BlocksArguments> = {
  id: 'coppice.keepBlocks',
  takesSeveral: true,
  run: (coppice, args) => changeLines(coppice, args, true),
};

async function changeLines(coppice: Coppice, args: BlocksArguments, kept: boolean): Promise<void> {
  const { checkpoint, blocks } = args;
  const named = checkpoint !== undefined && blocks !== undefined ? new Map([[checkpoint, blocks]]) : undefined;
  for (const [path, list] of named ?? blocksOfLines(args.lines ?? coppice.tree.selectedLines)) {
    change(coppice, await chooseCheckpoint(coppice, { checkpoint: path }, ''), list, kept);
  }
}

/** @returns the plan @throws UserError when some of the blocks are locked; the others are changed */
function change(
  { plans, config }: Coppice,
  { architecture, subject }: Chosen,
  blocks: readonly number[],
  kept: boolean,
): readonly number[] {
  const { locked } = requireProtection(architecture.layers, config);
  const refused = kept ? [] : blocks.filter((block) => locked.has(block));
  plans.change(
    subject,
    blocks.filter((block) => !refused.includes(block)).map((block) => [block, kept]),
  );
  if (refused.length > 0) throw lockedError(refused);
  return plans.removed(subject);
}

export interface RangeArguments extends CommonArguments {
  /** "12-18, 20" */
  readonly range?: string;
}

export const removeRangeCommand: Command<RangeArguments> = {
  id: 'coppice.removeRange',
  async run(coppice, args) {
    const title = vscode.l10n.t('Remove Range of Blocks');
    const chosen = await chooseCheckpoint(coppice, args, title);
    const blocks = chosen.architecture.layers.length;
    const selected = blocksOfLines(args.lines ?? coppice.tree.selectedLines).get(chosen.path) ?? [];
    const step: Step<RangeArguments> = async (_, place) => {
      const answer = await ask(place, {
        prompt: vscode.l10n.t('Blocks to remove, from 0 to {0}', blocks - 1),
        placeholder: '12-18, 20',
        value: numberRanges([...selected].sort((a, b) => a - b)),
        fault: (text) => faultOf(coppice, chosen, text),
        meaning: (text) => meaningOf(coppice, chosen, text),
      });
      return { range: answer };
    };
    const { range } = args.range === undefined ? await askAll<RangeArguments>(title, args, [step]) : args;
    return change(coppice, chosen, parse(range!, blocks), false);
  },
};

const parse = (text: string, blocks: number): number[] =>
  parseBlockList(text, blocks, vscode.l10n.t('The list of blocks'));

function faultOf({ plans, config }: Coppice, { architecture, subject }: Chosen, text: string): string | undefined {
  const blocks = architecture.layers.length;
  if (text.trim() === '') return vscode.l10n.t('Enter block numbers and ranges, such as 12-18, 20.');
  try {
    const named = parse(text, blocks);
    const { locked } = requireProtection(blocks, config);
    const refused = named.filter((block) => locked.has(block));
    if (refused.length > 0) return vscode.l10n.t('Protected by the setting coppice.keep: {0}', numberRanges(refused));
    const all = new Set([...plans.removed(subject), ...named]);
    return all.size < blocks ? undefined : vscode.l10n.t('At least one block must stay.');
  } catch (error) {
    return error instanceof UserError ? error.why : String(error);
  }
}

/** What the plan gives with these blocks removed too. */
function meaningOf({ plans }: Coppice, { checkpoint, subject }: Chosen, text: string): string {
  const before = plans.removed(subject);
  const removed = [...new Set([...before, ...parse(text, subject.blocks)])].sort((a, b) => a - b);
  const { kept, parametersAfter, bytesAfter, speedup } = planEffect(checkpoint, removed);
  const fast = vscode.l10n.t('about {0} as fast', formatFactor(speedup));
  const size = [shortCount(parametersAfter), formatBytes(bytesAfter), fast].join(' · ');
  return vscode.l10n.t(
    'Removes {0} more, keeps {1} of {2} blocks → {3}',
    removed.length - before.length,
    kept.length,
    subject.blocks,
    size,
  );
}
