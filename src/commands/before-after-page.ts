/**
 * The original beside a model that was made from it, as commands read and show it: the runs of its kin, sizes from
 * the files, and the verdict beside the goal.
 */
import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { ReadText } from '../format/text-share';
import * as vscode from 'vscode';
import { pageFolder } from '../editors/page-html';
import { isGgufCheckpoint } from '../engine/checkpoint/gguf/name';
import { summarize } from '../engine/checkpoint/summary';
import type { Checkpoint } from '../engine/checkpoint/types';
import { UserError } from '../engine/errors';
import { type BeforeAfter, beforeAfter } from '../engine/records/before-after/before-after';
import { beforeAfterHtml, type PageLink, type PageParts } from '../engine/records/before-after/html';
import { judgementOf } from '../engine/records/before-after/judgement';
import type { KnownModel, ShippedFiles } from '../engine/records/before-after/known';
import type { RunDigest } from '../engine/records/digest-types';
import { originalOf } from '../engine/records/original';
import { modelName } from '../engine/records/record';
import { RunStore } from '../jobs/record-store';
import type { Chosen } from '../host/ask/choose-checkpoint';
import type { Coppice } from '../host/coppice';
import { recordFolders } from '../host/jobs/record-folders';
import type { ShipGoal, Verdict } from '../protocol/journey';
import { exportSize } from '../host/ask/export-sizes';
import { type ExportFormat, FORMATS } from '../engine/write/formats';
import { verdictOf } from '../state/journey';
import { newestExport as exportFor, suits, textsThatChose } from '../state/journey-facts';
import { judgementIn } from '../state/measured';
import { verdictWords } from '../state/words/verdict-words';
import { relativesOf } from './comparable-models';
import { madeAs } from '../state/words/made-words';

/** A model of the page whose files are at hand. */
export interface Member {
  readonly path: string;
  readonly checkpoint: Checkpoint;
}

export interface Kin {
  readonly chosen: Chosen;
  /** Identity of the oldest known ancestor; the model's own if no record names one. */
  readonly originalIdentity: string;
  /** Undefined if its files are not found, or the model is the original. */
  readonly original?: Member;
  /** Identity of the model that it was made from. */
  readonly parent?: string;
  /** What was exported from it for the goal, if the engine reads it. */
  readonly exported?: Member;
  /** Texts that chose its blocks or fitted its weights. */
  readonly used: readonly ReadText[];
  /** Runs of the original, the model, and those between and after them. */
  readonly runs: readonly RunDigest[];
}

/** @param named an original that the caller chooses, in place of the one that records name */
export async function readKin(coppice: Coppice, chosen: Chosen, named?: Member): Promise<Kin> {
  const relatives = await relativesOf(coppice, chosen);
  const { self, parent, children, originalIdentity: recorded } = relatives;
  const originalIdentity = named?.checkpoint.identity ?? recorded;
  const original = named ?? (await findOriginal(coppice, chosen, relatives.original?.path));
  const kin = new Set([
    originalIdentity,
    ...[self, ...(parent ? [parent] : []), ...children].map((each) => each.identity),
  ]);
  const lists = await Promise.all(recordFolders(coppice).map((folder) => new RunStore(folder).list()));
  const isOurs = ({ model, tasks, cost }: RunDigest): boolean =>
    [
      model.identity,
      ...(tasks?.models ?? []).map(({ identity }) => identity),
      ...(cost ?? []).map(({ of }) => of?.identity),
    ].some((identity) => identity !== undefined && kin.has(identity));
  const runs = lists.flatMap((list) => list.runs.map(({ digest }) => digest)).filter(isOurs);
  const made = children.map((child) => ({ ...child, origin: child.origin! }));
  const goal = coppice.goals.goal(originalIdentity);
  const file = exportFor(made, runs, self.identity, goal)?.path;
  const line = [self.identity, self.origin?.identity, originalIdentity];
  return {
    chosen,
    ...(file !== undefined && { exported: { path: file, checkpoint: await coppice.library.load(file) } }),
    used: textsThatChose(runs, { origin: self.origin, choice: 'hand', line }),
    originalIdentity: original?.checkpoint.identity ?? originalIdentity,
    ...(original && { original }),
    ...(self.origin && { parent: self.origin.identity }),
    runs,
  };
}

/** In the library, else beside it and its neighbours. */
async function findOriginal(
  { library }: Coppice,
  { checkpoint }: Chosen,
  listed: string | undefined,
): Promise<Member | undefined> {
  if (listed !== undefined) return { path: listed, checkpoint: await library.load(listed) };
  const near = [...new Set(library.entries().map(({ path }) => dirname(path)))];
  const found = (await originalOf(checkpoint, near))?.checkpoint;
  return found && found.identity !== checkpoint.identity ? { path: found.home, checkpoint: found } : undefined;
}

/** Undefined if no run is about both, and no original of the model is at hand. */
export async function pageOf(
  { goals }: Pick<Coppice, 'goals'>,
  { chosen, original, originalIdentity, runs, exported, used }: Kin,
): Promise<BeforeAfter | undefined> {
  const { checkpoint } = chosen;
  const isResult = originalIdentity !== checkpoint.identity;
  const shipped = isResult ? await shippedFiles(checkpoint, goals.goal(originalIdentity), runs) : undefined;
  // In the same types, so that what pruning saves is not taken for what quantizing does.
  const before = shipped && original && (await plannedFiles(original.checkpoint, shipped));
  const known = [
    ...(original ? [{ ...knownModel(original.checkpoint), ...(before && { shipped: before }) }] : []),
    { ...knownModel(checkpoint), ...(shipped && { shipped: shipped.files }) },
  ];
  return beforeAfter(runs, {
    original: originalIdentity,
    ...(isResult && { subject: checkpoint.identity }),
    known,
    used,
    ...(exported && { shipped: exported.checkpoint.identity }),
  });
}

function knownModel(checkpoint: Checkpoint): KnownModel {
  const { parameters, bytes, vocabulary } = summarize(checkpoint);
  return {
    name: modelName(checkpoint),
    identity: checkpoint.identity,
    ...(vocabulary !== null && { vocabulary }),
    parameters,
    bytes,
  };
}

/** What ships, and in which format and types. */
interface InFormat extends Pick<ShipGoal, 'format'> {
  readonly types: readonly (string | undefined)[];
}

/** An export of the model that suits the goal; without one the newest, and with a goal alone what would be written. */
async function shippedFiles(
  checkpoint: Checkpoint,
  goal: ShipGoal | undefined,
  runs: readonly RunDigest[],
): Promise<(InFormat & { readonly files: ShippedFiles }) | undefined> {
  const written =
    newestExport(runs, checkpoint.identity, goal) ?? (goal ? undefined : newestExport(runs, checkpoint.identity));
  if (written) return written;
  if (!goal) return undefined;
  const wanted = { format: goal.format, types: [goal.type] };
  const files = await plannedFiles(checkpoint, wanted);
  return files && { ...wanted, files };
}

/** Undefined for a model that the format cannot hold. */
async function plannedFiles(checkpoint: Checkpoint, { format, types }: InFormat): Promise<ShippedFiles | undefined> {
  const name = [FORMATS[format].title, ...types.filter((type) => type !== undefined)].join(', ');
  try {
    const sizes = await Promise.all(types.map((type) => exportSize(checkpoint, { format, type, removed: [] })));
    return { name, bytes: sizes.reduce((sum, bytes) => sum + bytes, 0), planned: true };
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

function newestExport(
  runs: readonly RunDigest[],
  identity: string,
  goal?: ShipGoal,
): (InFormat & { readonly files: ShippedFiles }) | undefined {
  const run = runs
    .filter((each) => madeAs(each.kind) === 'exported' && each.model.identity === identity && each.removed.length === 0)
    .filter((each) => !goal || suits(each, goal))
    .sort((a, b) => b.started.localeCompare(a.started))
    .at(0);
  const bytes = run?.cost?.[0]?.bytes ?? null;
  if (run?.exported === undefined || bytes === null) return undefined;
  const { format, type = '' } = Object.fromEntries(run.settings);
  const types = type === 'stored' || type === '' ? [undefined] : type.split(/,\s*/);
  return { format: format as ExportFormat, types, files: { name: run.exported, bytes } };
}

/** Whether the model meets the goal of the model it comes from; undefined without a goal. */
async function verdictOn(
  coppice: Coppice,
  { chosen, originalIdentity, used, runs }: Kin,
  found: BeforeAfter,
): Promise<Verdict | undefined> {
  const goal = coppice.goals.goal(originalIdentity);
  if (!goal) return undefined;
  const bytes = await shippedBytes(chosen, goal, runs);
  const { identity } = chosen.checkpoint;
  // The page has no perplexities of models with other vocabularies.
  const across = found.otherVocabularies ? judgementIn(runs, { identity, removed: [] }, originalIdentity, used) : {};
  return verdictOf({ goal, ...(bytes !== undefined && { bytes }), ...across, ...judgementOf(found) });
}

/** Of the export in the goal's format, or what it would have. Undefined for a model that the format cannot hold. */
async function shippedBytes(
  { checkpoint }: Chosen,
  { format, type }: ShipGoal,
  runs: readonly RunDigest[],
): Promise<number | undefined> {
  if (format === 'gguf' && isGgufCheckpoint(checkpoint)) return checkpoint.size.all;
  const shipped = newestExport(runs, checkpoint.identity, { format, type });
  if (shipped) return shipped.files.bytes;
  try {
    return await exportSize(checkpoint, { format, type, removed: [] });
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** What stands around the numbers when the page is saved. */
export async function pageParts(coppice: Coppice, kin: Kin, found: BeforeAfter): Promise<PageParts> {
  const verdict = await verdictOn(coppice, kin, found);
  return verdict ? { verdict: { meets: verdict.meets, text: verdictWords(verdict) } } : {};
}

export const styleSheet = ({ context }: Coppice): Promise<string> =>
  readFile(vscode.Uri.joinPath(pageFolder(context.extensionUri), 'report.css').fsPath, 'utf8');

const COMMANDS = {
  save: 'coppice.showBeforeAfter',
  measure: 'coppice.compareWithOriginal',
  goal: 'coppice.setGoal',
} as const;

/** Open pages by the path of the checkpoint. */
const pages = new Map<string, vscode.WebviewPanel>();

/** Shows the page of a checkpoint, in its tab if it has one. The page has no program: its links run commands. */
export async function showPage(coppice: Coppice, kin: Kin, found: BeforeAfter): Promise<void> {
  const { path } = kin.chosen;
  const parts = await pageParts(coppice, kin, found);
  const html = beforeAfterHtml(found, await styleSheet(coppice), { ...parts, ...linksOf(kin, parts) });
  const open = pages.get(path);
  const page = open ?? newPage(path);
  page.webview.html = html;
  if (open) open.reveal();
}

function newPage(path: string): vscode.WebviewPanel {
  const title = `${vscode.l10n.t('Before and After')}: ${basename(path)}`;
  const page = vscode.window.createWebviewPanel('coppice.beforeAfter', title, vscode.ViewColumn.Active, {
    enableScripts: false,
    enableCommandUris: Object.values(COMMANDS),
  });
  pages.set(path, page);
  page.onDidDispose(() => pages.delete(path));
  return page;
}

function linksOf({ chosen: { path }, original }: Kin, { verdict }: PageParts): PageParts {
  const link = (label: string, what: keyof typeof COMMANDS, more: object = {}): PageLink => {
    const given = encodeURIComponent(JSON.stringify([{ checkpoint: path, ...more }]));
    return { label, address: ['command:', COMMANDS[what], '?', given].join('') };
  };
  const { t } = vscode.l10n;
  return {
    goal: link(verdict ? t('Change Goal…') : t('Set Goal…'), 'goal'),
    ...(original && { measure: link(t('Measure What Is Missing…'), 'measure') }),
    links: [
      link(t('Export HTML…'), 'save', { save: 'html' }),
      link(t('Export Markdown…'), 'save', { save: 'markdown' }),
    ],
  };
}
