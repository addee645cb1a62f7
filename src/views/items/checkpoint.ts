/** The line of a checkpoint: its facts, or the result of its plan. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { formatLayerNumber, layerNumber } from '../../engine/checkpoint/layer-numbers';
import { summarize } from '../../engine/checkpoint/summary';
import type { Checkpoint } from '../../engine/checkpoint/types';
import { isGgufCheckpoint } from '../../engine/checkpoint/gguf/name';
import type { UserError } from '../../engine/errors';
import { typeWord } from '../../engine/checkpoint/main-dtype';
import { layerSizes } from '../../engine/checkpoint/kinds/parts';
import type { Choice } from '../../engine/importance/choice';
import { modelName } from '../../engine/records/record';
import { choiceWords } from '../../state/words/choice-words';
import { checkpointContext } from '../contexts';
import { type Freshness, freshnessWords } from '../../state/freshness';
import { madeAs, madeIcon, madeWords } from '../../state/words/made-words';
import { nextWords } from '../../state/words/next-words';
import type { CheckpointNode } from '../../state/nodes';
import type { Origin } from '../../state/origins';
import type { NextAction } from '../../protocol/journey';
import { planEffect } from '../../jobs/plan-effect';
import { savingWords } from '../../jobs/saving-words';
import { scoringSentence, unfitWords } from '../../state/words/score-words';
import type { Scores } from '../../state/scores';
import { ago } from '../../format/ago';
import { formatBytes, formatCount, shortCount, formatFactor } from '../../format/numbers';
import { appendPlain } from '../plain-markdown';
import { openCommand } from './inspection';
import { perplexityTimes } from './named-plan';

export interface CheckpointState {
  /** Blocks that the plan removes. */
  readonly removed: readonly number[];
  /** How the blocks were chosen. */
  readonly choice?: Choice;
  /** Set if the plan removes blocks that no suggestion would remove. */
  readonly warning?: string;
  /** The scores that the view shows. */
  readonly scores?: Scores;
  /** The scores by every criterion. */
  readonly allScores: readonly Scores[];
  /** Whether the scores still hold; undefined if there never were any. */
  readonly freshness?: Freshness;
  /** Perplexity without the plan's blocks relative to the original model, if runs have measured both. */
  readonly ratio?: number;
  /** There are plans to compare. */
  readonly plans: boolean;
  /** Other tools can follow the plan. */
  readonly portable: boolean;
  /** Runs have measured it. */
  readonly hasRuns: boolean;
  /** The next step on the way to a model that ships; undefined for one that can only be inspected. */
  readonly next?: NextAction;
}

/** How a checkpoint came to be, and what came of it. */
export interface NodeKin {
  /** How Coppice made it. */
  readonly origin?: Origin;
  /** The model that it was made from is listed. */
  readonly derived: boolean;
  /** An adapter was trained on it. */
  readonly hasAdapter: boolean;
  /** The model that it was made from is not above it. */
  readonly alone: boolean;
  /** Number of lines of what was made from it. */
  readonly made: number;
}

export function checkpointItem(
  node: CheckpointNode,
  checkpoint: Checkpoint,
  state: CheckpointState,
  kin: NodeKin,
): vscode.TreeItem {
  const { path } = node.entry;
  const { removed, allScores, freshness } = state;
  const item = new vscode.TreeItem(labelOf(path, checkpoint), vscode.TreeItemCollapsibleState.Collapsed);
  item.id = `checkpoint:${path}`;
  const usable = checkpoint.architecture !== undefined;
  const { origin } = kin;
  item.contextValue = checkpointContext({
    usable,
    planned: removed.length > 0,
    plans: state.plans,
    portable: state.portable,
    scored: allScores.length > 0,
    stale: freshness?.changed !== undefined,
    hasRuns: state.hasRuns,
    derived: kin.derived,
    exported: madeAs(origin?.kind) === 'exported',
    hasAdapter: kin.hasAdapter,
    experts: checkpoint.architecture?.layers.some(({ ffn }) => ffn.kind === 'experts') ?? false,
    opened: node.entry.origin === 'opened',
    next: state.next?.action,
  });
  item.iconPath = new vscode.ThemeIcon(origin ? madeIcon(origin) : usable ? 'layers' : 'archive');
  item.description = [
    describe(checkpoint, state, kin),
    ...(freshness?.changed
      ? [vscode.l10n.t('scores are stale')]
      : state.scores?.unfit
        ? [vscode.l10n.t('the model does not fit the text')]
        : []),
  ].join(' · ');
  item.tooltip = tooltip(path, checkpoint, state, kin);
  if (!usable) item.command = openCommand(node);
  item.accessibilityInformation = {
    label: `${typeof item.label === 'string' ? item.label : item.label?.label}, ${item.description}`,
  };
  return item;
}

/** What its plan gives, or how it was made and how large it is. */
function describe(checkpoint: Checkpoint, { removed, ratio }: CheckpointState, kin: NodeKin): string {
  const quality = ratio === undefined ? [] : [perplexityTimes(ratio)];
  const made = kin.made === 0 ? [] : [vscode.l10n.t('{0} made from it', kin.made)];
  if (checkpoint.architecture && removed.length > 0) {
    const { kept, bytesAfter, speedup } = planEffect(checkpoint, removed);
    const keeps = vscode.l10n.t('keeps {0}/{1}', kept.length, kept.length + removed.length);
    return [keeps, formatBytes(bytesAfter), `≈ ${formatFactor(speedup)}`, ...quality, ...made].join(' · ');
  }
  const summary = summarize(checkpoint);
  const size = [shortCount(summary.parameters), formatBytes(summary.bytes), typeWord(checkpoint)];
  if (madeAs(kin.origin?.kind) === 'exported') return [...exportFacts(kin, summary), ...quality, ...made].join(' · ');
  if (kin.origin) return [...madeFacts(kin, summary.blocks), ...quality, ...made, ...size].join(' · ');
  const architecture = summary.architecture ?? vscode.l10n.t('unknown architecture');
  return [...made, architecture, ...(summary.blocks === null ? [] : [blockCount(summary.blocks)]), ...size].join(' · ');
}

/** "exported · q8_0 · 2.9 MB · 9 of 12 blocks". The types of a file that keeps those of its source are many. */
function exportFacts(kin: NodeKin, { bytes, blocks }: ReturnType<typeof summarize>): string[] {
  const [made, ...facts] = madeFacts(kin, blocks);
  const { type } = kin.origin!;
  return [made, ...(type === undefined || type === 'stored' ? [] : [type]), formatBytes(bytes), ...facts];
}

/** "pruned, healed", "24 of 30 blocks", and from what, where that is not the line above. */
function madeFacts({ origin, alone }: NodeKin, blocks: number | null): string[] {
  if (!origin) return [];
  const all = blocks === null ? 0 : blocks + origin.removed.length;
  const left = all > (blocks ?? 0) ? [vscode.l10n.t('{0} of {1} blocks', blocks!, all)] : [];
  return [madeWords(origin), ...left, ...(alone ? [vscode.l10n.t('made from {0}', origin.name)] : [])];
}

/** The line of a checkpoint that cannot be opened, with the reason. */
export function failedItem(node: CheckpointNode, error: UserError): vscode.TreeItem {
  const { path, origin } = node.entry;
  const item = new vscode.TreeItem(basename(path));
  item.id = `${node.kind}:${path}`;
  item.contextValue = origin === 'opened' ? 'broken.opened' : 'broken';
  item.iconPath = new vscode.ThemeIcon('error', new vscode.ThemeColor('list.errorForeground'));
  item.description = error.why.charAt(0).toUpperCase() + error.why.slice(1);
  item.tooltip = `${error.what}: ${error.why}\n${error.action}`;
  item.command = openCommand(node);
  return item;
}

/**
 * Name of the folder; "org/name" for the Hugging Face cache. Name of the file if the user opened one, and of a GGUF file with its
 * end: the same model may lie beside it as a folder.
 */
function labelOf(path: string, checkpoint: Checkpoint): string {
  if (isGgufCheckpoint(checkpoint)) return `${modelName(checkpoint)}.gguf`;
  return /\.(safetensors|json)$/.test(path) ? basename(path) : modelName(checkpoint);
}

function tooltip(
  path: string,
  checkpoint: Checkpoint,
  { removed, choice, warning, scores, allScores, freshness, next }: CheckpointState,
  { origin }: NodeKin,
): vscode.MarkdownString {
  const { architecture, unsupported } = checkpoint;
  const summary = summarize(checkpoint);
  const text = new vscode.MarkdownString();
  const line = (name: string, value: string): void =>
    void appendPlain(text.appendMarkdown(`- ${name}: `), value).appendMarkdown('\n');
  appendPlain(text, path).appendMarkdown('\n\n');
  if (next) line(vscode.l10n.t('Next'), nextWords(next));
  if (origin) {
    line(vscode.l10n.t('Made from'), `${origin.name} (${madeWords(origin)})`);
    if (origin.removed.length > 0) line(vscode.l10n.t('Removed blocks'), origin.removed.join(', '));
  }
  line(vscode.l10n.t('Parameters'), formatCount(summary.parameters));
  line(vscode.l10n.t('Size'), formatBytes(summary.bytes));
  const saving = savingWords(summary);
  if (saving !== undefined) line(vscode.l10n.t('Blocks can go'), saving);
  line(vscode.l10n.t('Data types'), Object.keys(summary.dtypes).join(', '));
  line(vscode.l10n.t('Files'), String(summary.shards));
  if (architecture) {
    const { layers, hidden, vocabulary, context } = architecture;
    const sizes = layers.map(layerSizes);
    const each = (of: 'ffn' | 'heads' | 'kvHeads'): string =>
      formatLayerNumber(layerNumber(sizes.map((layer) => layer[of])));
    line(vscode.l10n.t('Width'), vscode.l10n.t('{0}, FFN {1}', hidden, each('ffn')));
    const isGrouped = sizes.some(({ heads, kvHeads }) => heads !== kvHeads);
    line(vscode.l10n.t('Heads'), isGrouped ? `${each('heads')} / ${each('kvHeads')}` : each('heads'));
    line(vscode.l10n.t('Vocabulary'), formatCount(vocabulary));
    line(vscode.l10n.t('Context length'), formatCount(context));
  }
  if (unsupported) line(vscode.l10n.t('Inspection only'), `${unsupported.why}. ${unsupported.action}`);
  for (const each of allScores) {
    const told = `${scoringSentence(each)}, ${ago(each.at, { language: vscode.env.language })}`;
    line(each === scores ? vscode.l10n.t('Scores, shown') : vscode.l10n.t('Scores'), told);
  }
  if (freshness?.changed) {
    const words = freshnessWords(freshness, '');
    line(vscode.l10n.t('Warning'), vscode.l10n.t('{0}. Score the blocks again.', words));
  }
  const unfit = scores && unfitWords(scores);
  if (unfit !== undefined) line(vscode.l10n.t('Warning'), unfit);
  if (removed.length > 0 && architecture) {
    const { speedup } = planEffect(checkpoint, removed);
    line(vscode.l10n.t('Plan removes'), removed.join(', '));
    if (choice) line(vscode.l10n.t('Plan'), choiceWords(choice, removed));
    if (warning !== undefined) line(vscode.l10n.t('Warning'), vscode.l10n.t('the plan {0}', warning));
    line(vscode.l10n.t('Estimated speed'), formatFactor(speedup));
  }
  for (const note of checkpoint.notes) line(vscode.l10n.t('Note'), note);
  return text;
}

const blockCount = (blocks: number): string =>
  blocks === 1 ? vscode.l10n.t('1 block') : vscode.l10n.t('{0} blocks', blocks);
