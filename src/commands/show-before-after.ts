/**
 * Show Before and After: a page with the original beside what was made of it, from the records that exist. It can be saved
 * as HTML or Markdown. Nothing is computed; the page names the command for each number that is missing.
 */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { pageFolder } from '../editors/page-html';
import { UserError } from '../engine/errors';
import { type BeforeAfter, beforeAfter } from '../engine/records/before-after/before-after';
import { beforeAfterHtml, type PageLink } from '../engine/records/before-after/html';
import { beforeAfterMarkdown } from '../engine/records/before-after/markdown';
import type { RunDigest } from '../engine/records/digest-types';
import { originalOf } from '../engine/records/original';
import { RunStore } from '../engine/records/store';
import { writeTextFile } from '../engine/system-failure';
import { type Chosen, chooseCheckpoint } from '../host/choose-checkpoint';
import type { Command, CommonArguments } from '../host/command';
import type { Coppice } from '../host/coppice';
import { inform } from '../host/inform';
import { recordFolders } from '../host/run-job';
import { relativesOf } from './comparable-models';

export interface BeforeAfterArguments extends CommonArguments {
  /** Asks for a file and saves the page there, instead of showing it. */
  readonly save?: 'html' | 'markdown';
  /** The file; its name ends in .html or .md. */
  readonly out?: string;
}

export const showBeforeAfterCommand: Command<BeforeAfterArguments> = {
  id: 'coppice.showBeforeAfter',
  async run(coppice, args) {
    const title = vscode.l10n.t('Before and After');
    const chosen = await chooseCheckpoint(coppice, args, title);
    const original = (await originalOf(chosen.checkpoint))?.checkpoint?.identity ?? chosen.checkpoint.identity;
    const found = beforeAfter(await runsOf(coppice, chosen), original);
    if (!found) throw nothingToShow();
    const style = await styleSheet(coppice);
    if (args.out !== undefined || args.save !== undefined) await save(args, found, style);
    else show(`${title}: ${basename(chosen.path)}`, beforeAfterHtml(found, style, exportLinks(chosen.path)));
    return found;
  },
};

const nothingToShow = (): UserError =>
  new UserError(
    vscode.l10n.t('There is no before and after to show'),
    vscode.l10n.t('no run has measured the original or a model that was made from it'),
    vscode.l10n.t('Run “Evaluate Perplexity…”, “Evaluate Tasks…” or “Measure Speed” first, on both.'),
  );

/** Runs of the checkpoint, its base model and the models that were made from it. */
async function runsOf(coppice: Coppice, chosen: Chosen): Promise<RunDigest[]> {
  const { self, parent, children } = await relativesOf(coppice, chosen);
  const family = new Set([self, ...(parent ? [parent] : []), ...children].map(({ identity }) => identity));
  const lists = await Promise.all(recordFolders(coppice).map((folder) => new RunStore(folder).list()));
  const isOurs = ({ model, tasks, cost }: RunDigest): boolean =>
    [
      model.identity,
      ...(tasks?.models ?? []).map(({ identity }) => identity),
      ...(cost ?? []).map(({ of }) => of?.identity),
    ].some((identity) => identity !== undefined && family.has(identity));
  return lists.flatMap(({ runs }) => runs.map(({ digest }) => digest)).filter(isOurs);
}

const styleSheet = ({ context }: Coppice): Promise<string> =>
  readFile(vscode.Uri.joinPath(pageFolder(context.extensionUri), 'report.css').fsPath, 'utf8');

/** The page has no program: its links run the command again. */
function show(title: string, html: string): void {
  const panel = vscode.window.createWebviewPanel('coppice.beforeAfter', title, vscode.ViewColumn.Active, {
    enableScripts: false,
    enableCommandUris: [showBeforeAfterCommand.id],
  });
  panel.webview.html = html;
}

function exportLinks(checkpoint: string): PageLink[] {
  const link = (label: string, save: BeforeAfterArguments['save']): PageLink => {
    const given = encodeURIComponent(JSON.stringify([{ checkpoint, save }]));
    return { label, address: ['command:', showBeforeAfterCommand.id, '?', given].join('') };
  };
  const { t } = vscode.l10n;
  return [link(t('Export HTML…'), 'html'), link(t('Export Markdown…'), 'markdown')];
}

async function save(args: BeforeAfterArguments, found: BeforeAfter, style: string): Promise<void> {
  const ending = args.save === 'markdown' ? 'md' : 'html';
  const file = args.out ?? (await askForFile(`before-after.${ending}`));
  if (file === undefined) return;
  const page = file.endsWith('.md') ? `${beforeAfterMarkdown(found)}\n` : beforeAfterHtml(found, style);
  await writeTextFile(file, page);
  const open = {
    label: vscode.l10n.t('Open'),
    run: () =>
      file.endsWith('.md')
        ? vscode.window.showTextDocument(vscode.Uri.file(file))
        : vscode.env.openExternal(vscode.Uri.file(file)),
  };
  inform(args, vscode.l10n.t('Saved {0}.', basename(file)), open);
}

async function askForFile(name: string): Promise<string | undefined> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  const target = await vscode.window.showSaveDialog({
    ...(folder && { defaultUri: vscode.Uri.joinPath(folder, name) }),
    title: vscode.l10n.t('Save {0}', name),
  });
  return target?.fsPath;
}
