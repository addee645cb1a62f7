/** Chooses the checkpoint of a command: the argument, the selected one, the only one, or one that the user picks. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import type { Coppice } from '../coppice';
import type { Architecture } from '../../engine/checkpoint/architecture';
import { requireArchitecture } from '../../engine/checkpoint/open';
import { summarize } from '../../engine/checkpoint/summary';
import type { Checkpoint } from '../../engine/checkpoint/types';
import { CancelledError, UserError } from '../../engine/errors';
import type { Entry } from '../../state/library';
import type { PlanSubject } from '../../state/plan';
import { groupCheckpoints } from '../../state/checkpoint-groups';
import { subjectOf } from '../../state/subject';
import { formatBytes, shortCount } from '../../format/numbers';
import type { CommonArguments } from '../command';

/** A checkpoint that Coppice can run. */
export interface Chosen {
  readonly path: string;
  readonly checkpoint: Checkpoint;
  readonly architecture: Architecture;
  readonly subject: PlanSubject;
}

/** Preferences among checkpoints. */
export interface Wish {
  /** Only checkpoints that have it are offered. */
  readonly needs?: 'plan' | 'scores';
  /** Checkpoints that have it come first. */
  readonly prefers?: 'plan';
  /** The command takes no others: they are not offered, and the selected one is not taken silently. */
  readonly takes?: (each: Chosen) => boolean | Promise<boolean>;
}

/** @throws UserError when it cannot be opened or run; CancelledError */
export async function chooseCheckpoint(
  coppice: Coppice,
  { checkpoint: given }: CommonArguments,
  title: string,
  wish: Wish = {},
): Promise<Chosen> {
  if (given === undefined) return chooseListed(coppice, title, wish);
  const path = await coppice.library.resolve(given);
  const checkpoint = await coppice.library.load(path);
  const architecture = requireArchitecture(checkpoint);
  return { path, checkpoint, architecture, subject: subjectOf(path, checkpoint)! };
}

async function chooseListed(coppice: Coppice, title: string, { needs, prefers, takes }: Wish): Promise<Chosen> {
  const { library, tree } = coppice;
  if (!library.isScanned) await library.rescan();
  const all = (await groupCheckpoints(library)).usable.flatMap(({ path }) => chosenOf(coppice, path));
  const taken = takes ? await Promise.all(all.map(async (each) => takes(each))) : [];
  // If it takes none of them, the command says why.
  const usable = taken.includes(true) ? all.filter((_, at) => taken[at]) : all;
  if (usable.length === 0) throw nothingToChoose(library.entries().length);
  const obvious = usable.length === 1 ? usable[0] : usable.find(({ path }) => path === tree.selectedPath);
  if (obvious) return obvious;
  const has = (what: 'plan' | 'scores', { subject }: Chosen): boolean =>
    what === 'plan' ? coppice.plans.removed(subject).length > 0 : coppice.scores.all(subject).length > 0;
  // If no checkpoint has it, all are offered and the command shows what to do.
  const fitting = needs === undefined ? usable : usable.filter((each) => has(needs, each));
  const offered = fitting.length > 0 ? fitting : usable;
  const first = prefers === undefined ? [] : offered.filter((each) => has(prefers, each));
  const items = [...first, ...offered.filter((each) => !first.includes(each))].map((each) => itemOf(coppice, each));
  return (await pickItem(items, title)).chosen;
}

/** Listed checkpoints are already open. One that was closed meanwhile is not offered. */
function chosenOf({ library }: Coppice, path: string): Chosen[] {
  const checkpoint = library.peek(path);
  const subject = checkpoint && subjectOf(path, checkpoint);
  return subject ? [{ path, checkpoint, architecture: requireArchitecture(checkpoint), subject }] : [];
}

/** Shows name, folder and facts, since several checkpoints may have the same name. */
function itemOf({ plans }: Coppice, chosen: Chosen) {
  const { path, checkpoint, subject } = chosen;
  const { blocks, parameters, bytes } = summarize(checkpoint);
  const removed = plans.removed(subject).length;
  const facts = [vscode.l10n.t('{0} blocks', blocks ?? 0), shortCount(parameters), formatBytes(bytes)];
  const plan = removed === 0 ? [] : [vscode.l10n.t('plan: keeps {0} of {1}', subject.blocks - removed, subject.blocks)];
  return { ...labelOf(path), description: [...facts, ...plan].join(' · '), chosen };
}

function labelOf(path: string) {
  const relative = vscode.workspace.asRelativePath(path);
  return relative === path ? { label: basename(path), detail: path } : { label: relative };
}

/** Chooses one of the listed paths. @throws UserError when there is none; CancelledError */
export async function choosePath({ tree }: Coppice, title: string, entries: readonly Entry[]): Promise<string> {
  if (entries.length === 0) throw nothingToChoose(0);
  if (entries.some(({ path }) => path === tree.selectedPath)) return tree.selectedPath!;
  if (entries.length === 1) return entries[0].path;
  return (
    await pickItem(
      entries.map(({ path }) => ({ ...labelOf(path), path })),
      title,
    )
  ).path;
}

async function pickItem<T extends vscode.QuickPickItem>(items: readonly T[], title: string): Promise<T> {
  const placeHolder = vscode.l10n.t('Select a checkpoint');
  const picked = await vscode.window.showQuickPick(items, { title, placeHolder, matchOnDescription: true });
  if (!picked) throw new CancelledError();
  return picked;
}

/** @param listed number of checkpoints that can only be inspected */
function nothingToChoose(listed: number): UserError {
  return new UserError(
    vscode.l10n.t('No checkpoint to work with'),
    listed === 0
      ? vscode.l10n.t('the workspace has none, and none was opened')
      : vscode.l10n.t('the listed checkpoints can only be inspected'),
    vscode.l10n.t('Run “Coppice: Open Checkpoint…”.'),
  );
}
