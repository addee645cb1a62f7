/**
 * Prune Checkpoint…: writes the plan as a new checkpoint, healed or as it is, and shows it in the tree. Without a plan
 * it first chooses the blocks.
 */
import { shareFor } from '../host/ask/judging-text';
import * as vscode from 'vscode';
import type { Coppice } from '../host/coppice';
import { isQuantizedGguf } from '../engine/checkpoint/gguf/name';
import { CancelledError, UserError } from '../engine/errors';
import { HEAL_DEFAULTS } from '../engine/heal/methods';
import type { Criterion } from '../engine/importance/criteria';
import { selectExplicit } from '../engine/importance/select';
import type { PruneResult } from '../jobs/results/prune';
import type { PruneSpec } from '../protocol/jobs';
import { planEffect } from '../jobs/plan-effect';
import { planWarning } from '../state/plan-warning';
import { checkpointName } from '../jobs/titles';
import { protectionOf, requireProtection } from '../state/protection';
import { formatBytes, shortCount, formatFactor } from '../format/numbers';
import { type Chosen, chooseCheckpoint } from '../host/ask/choose-checkpoint';
import type { Command, CommonArguments, JobArguments } from '../host/command';
import { pickCriterion } from '../host/ask/criteria';
import { healingOptions, tellHealed, usualHealingText } from '../host/ask/healing';
import { checkpointBytes, requireSpace } from '../host/ask/disk-space';
import { hintAtGit } from '../host/git-hint';
import { compareStep, inform, nextCommand } from '../host/inform';
import { noHealingWords } from '../host/ask/no-healing';
import { askOutputFolder, outputFolder } from '../host/ask/output-folder';
import { recall, remember } from '../host/ask/remembered';
import { runJob } from '../host/jobs/run-job';
import { askAll, type Step } from '../host/ask/steps';
import { askHealing, PLAIN } from './healing-step';
import { suggest } from './suggest-blocks';
import { askCount, decidingChoices } from './suggest-step';
import { common, conversionWords, quantizedWay } from './prune-quantized';

/** Without `blocks` those of the plan go, without a plan `count` by `criterion`; `out` is else that of the settings. */
export interface PruneArguments
  extends CommonArguments, JobArguments<'prune', 'blocks' | 'choice' | 'criterion' | 'count' | 'out'> {
  /** Heals on this number of tokens; true means the usual number, undefined with `out` means not at all. */
  readonly heal?: boolean | number;
  /** Text for healing: a file or "self"; undefined uses the calibration text of the settings, without one "self". */
  readonly data?: string;
}

export const pruneCheckpointCommand: Command<PruneArguments> = {
  id: 'coppice.pruneCheckpoint',
  needsTrust: true,
  async run(coppice, args, settle) {
    const title = vscode.l10n.t('Prune Checkpoint');
    const chosen = await chooseCheckpoint(coppice, args, title, { prefers: 'plan' });
    requireSomething(coppice, args, chosen);
    const isOpen = args.out === undefined && isQuantizedGguf(chosen.checkpoint);
    const way = isOpen ? await quantizedWay(coppice, title, chosen, knownBlocks(coppice, args, chosen)) : 'convert';
    const named = args.blocks && { remove: args.blocks, choice: args.choice };
    const other = { ...common(args), checkpoint: chosen.path };
    if (way === 'export') return vscode.commands.executeCommand('coppice.exportModel', other);
    if (way === 'heal') return vscode.commands.executeCommand('coppice.heal', { ...other, ...named, output: 'gguf' });
    const complete = args.out === undefined ? await askPruning(coppice, args, chosen, title) : args;
    const { heal, out, device } = complete;
    const blocks = await blocksOf(coppice, complete, chosen);
    const choice = args.blocks === undefined ? coppice.plans.choice(chosen.subject) : (args.choice ?? 'hand');
    const data = complete.data ?? usualHealingText(coppice, chosen.subject);
    settle({ ...args, checkpoint: chosen.path, blocks, choice, heal, data, out });
    requireSpace(out!, await checkpointBytes(chosen.checkpoint, blocks));
    const tokens = heal === true ? HEAL_DEFAULTS.tokens : heal;
    const part = tokens ? await shareFor(coppice, data, { ...args, path: chosen.path }) : {};
    const spec: PruneSpec = {
      kind: 'prune',
      checkpoint: chosen.path,
      blocks,
      out: out!,
      choice,
      ...(tokens && { heal: true, ...healingOptions(coppice, data, tokens, part) }),
    };
    const { result, unwatched, warnings } = await runJob(coppice, spec, { device });
    const written = { ...result, out: result.out! };
    void hintAtGit(coppice, args, written.out);
    if (unwatched) tellPruned({ ...args, checkpoint: chosen.path }, written, warnings);
    return result;
  },
};

function tellPruned(
  args: CommonArguments,
  { kept, out, healing }: PruneResult & { readonly out: string },
  warnings: readonly string[],
): void {
  if (healing) {
    tellHealed(args, healing, warnings);
    return;
  }
  const name = checkpointName(out);
  const text =
    kept.length === 1
      ? vscode.l10n.t('Pruned to 1 block: {0}.', name)
      : vscode.l10n.t('Pruned to {0} blocks: {1}.', kept.length, name);
  const open = nextCommand(vscode.l10n.t('Open Results'), 'coppice.openResults', { checkpoint: out });
  inform(args, text, compareStep(out), open);
}

/** Blocks that are known before any question: of the arguments, or of the plan. */
const knownBlocks = ({ plans }: Coppice, { blocks, count }: PruneArguments, { subject }: Chosen): readonly number[] =>
  blocks ?? (count === undefined ? plans.removed(subject) : []);

/**
 * A caller that names the folder is asked nothing, so it must name blocks too, or there must be a plan.
 * @throws UserError when there is nothing to remove, or a locked block is named
 */
function requireSomething(coppice: Coppice, args: PruneArguments, chosen: Chosen): void {
  const blocks = knownBlocks(coppice, args, chosen);
  if (blocks.length > 0) {
    unlocked(coppice, blocks, chosen);
  } else if (args.out !== undefined && args.count === undefined) {
    throw new UserError(
      vscode.l10n.t('Nothing to prune'),
      vscode.l10n.t('all blocks are kept'),
      vscode.l10n.t('Clear the checkboxes of blocks in the Checkpoints view, or run “Coppice: Suggest Blocks…”.'),
    );
  }
}

/** The blocks to remove. Without a plan they are chosen now, and become the plan. @throws UserError, CancelledError */
async function blocksOf(coppice: Coppice, args: PruneArguments, chosen: Chosen): Promise<readonly number[]> {
  const known = knownBlocks(coppice, args, chosen);
  if (known.length > 0) return unlocked(coppice, known, chosen);
  const goal = { kind: 'count', count: args.count! } as const;
  const criterion = args.criterion ?? DEFAULT_CRITERION;
  const { removed, cancelled } = await suggest(coppice, chosen, criterion, goal, args.device);
  if (cancelled) throw new CancelledError(); // the plan has the best set so far, but nothing is written
  return removed;
}

function unlocked({ config }: Coppice, blocks: readonly number[], { architecture }: Chosen): number[] {
  const { locked } = requireProtection(architecture.layers, config);
  return selectExplicit(blocks, architecture.layers.length, [...locked]);
}

/** A search that measures the model without each block in turn chooses best. */
const DEFAULT_CRITERION: Criterion = 'greedy';

async function askPruning(
  coppice: Coppice,
  args: PruneArguments,
  chosen: Chosen,
  title: string,
): Promise<PruneArguments> {
  const { config } = coppice;
  const blocks = chosen.architecture.layers.length;
  const known = knownBlocks(coppice, args, chosen);
  if (known.length === 0) requireProtection(blocks, config); // before any question
  const criterionStep: Step<PruneArguments> = async (_, place) => {
    const active = recall<string>(coppice, 'prune', 'criterion', DEFAULT_CRITERION) as Criterion;
    const placeholder = vscode.l10n.t('The plan keeps all blocks. Select how to choose those to remove');
    return { criterion: await pickCriterion(place, placeholder, decidingChoices(coppice, chosen), active) };
  };
  const countStep: Step<PruneArguments> = async ({ criterion = DEFAULT_CRITERION }, place) => {
    const count = await askCount(coppice, chosen, criterion, place);
    return { count: Number(count) };
  };
  const healStep: Step<PruneArguments> = async ({ count = 0 }, place) => {
    // Blocks that are not chosen yet: the first ones that may be removed, after which most remains to be healed.
    const { kept } = protectionOf(blocks, config);
    const open = Array.from({ length: blocks }, (_, block) => block).filter((block) => !kept.has(block));
    const removed = known.length > 0 ? known : open.slice(0, count);
    return askHealing(coppice, args, { chosen, removed }, place);
  };
  const complete = await askAll(title, args, [
    ...(known.length === 0 && args.criterion === undefined ? [criterionStep] : []),
    ...(known.length === 0 && args.count === undefined ? [countStep] : []),
    ...(args.heal === undefined && noHealingWords(chosen.architecture) === undefined ? [healStep] : []),
    (state, place) => askFolder(coppice, state, chosen, place),
  ]);
  const { criterion, count, heal } = complete;
  await remember(coppice, 'prune', {
    criterion: args.criterion === undefined ? criterion : undefined,
    heal: args.heal === undefined ? (typeof heal === 'number' ? heal : PLAIN) : undefined,
  });
  if (args.count === undefined) await remember(coppice, 'suggest', { count });
  return complete;
}

async function askFolder(
  coppice: Coppice,
  state: PruneArguments,
  chosen: Chosen,
  place: Parameters<Step<unknown>>[1],
): Promise<Pick<PruneArguments, 'out'>> {
  const { checkpoint, architecture } = chosen;
  const known = knownBlocks(coppice, state, chosen);
  const kept = architecture.layers.length - (known.length || state.count!);
  const heals = state.heal !== undefined && state.heal !== false;
  const warning = known.length > 0 ? warningOf(coppice, chosen, known) : undefined;
  const unhealed = state.heal === undefined ? noHealingWords(architecture) : undefined; // it was not asked
  const bytes = known.length > 0 ? await checkpointBytes(checkpoint, known) : undefined;
  const out = await askOutputFolder(place, {
    prompt: vscode.l10n.t('Folder for the new checkpoint'),
    value: outputFolder(coppice.config.outputFolder, checkpoint, heals ? `${kept}-blocks-healed` : `${kept}-blocks`),
    meaning: () => [meaningOf(chosen, state, known, bytes), warning, unhealed].filter(Boolean).join(' '),
    warns: warning !== undefined,
    ...(bytes !== undefined && { bytes }),
  });
  return { out };
}

function warningOf({ config, scores }: Coppice, { architecture, subject }: Chosen, blocks: readonly number[]) {
  const protection = requireProtection(architecture.layers, config);
  const warning = planWarning(blocks, scores.shown(subject), protection);
  return warning === undefined ? undefined : vscode.l10n.t('Warning: the plan {0}.', warning);
}

/** What will be written. */
function meaningOf(
  { checkpoint }: Chosen,
  { criterion, count }: PruneArguments,
  blocks: readonly number[],
  bytes: number | undefined,
): string {
  if (bytes === undefined)
    return vscode.l10n.t(
      'Chooses {0} blocks by {1}, then writes the checkpoint. Press Enter to start.',
      count!,
      criterion ?? DEFAULT_CRITERION,
    );
  const { parametersAfter, speedup } = planEffect(checkpoint, blocks);
  const removes = vscode.l10n.t(
    'Removes {0}: {1} parameters, {2}, about {3} as fast. Press Enter to write it.',
    blocks.join(', '),
    shortCount(parametersAfter),
    formatBytes(bytes),
    formatFactor(speedup),
  );
  return [...conversionWords(checkpoint), removes].join(' ');
}
