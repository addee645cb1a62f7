/**
 * The page of before and after: the original beside what was made of it, from the records that exist. It can be saved as HTML
 * or Markdown. Nothing is computed; the page names the command for each number that is missing. The panel and the page itself
 * run this command. For the user it is the first half of “Compare with the Original…”.
 */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { UserError } from '../engine/errors';
import type { BeforeAfter } from '../engine/records/before-after/before-after';
import { beforeAfterHtml } from '../engine/records/before-after/html';
import { beforeAfterMarkdown } from '../engine/records/before-after/markdown';
import { writeTextFile } from '../engine/system-failure';
import { chooseCheckpoint } from '../host/ask/choose-checkpoint';
import type { Command, CommonArguments } from '../host/command';
import type { Coppice } from '../host/coppice';
import { inform } from '../host/inform';
import { type Kin, pageOf, pageParts, readKin, showPage, styleSheet } from './before-after-page';

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
    const kin = await readKin(coppice, chosen);
    const found = await pageOf(coppice, kin);
    if (!found) throw nothingToShow();
    if (args.out !== undefined || args.save !== undefined) await save(coppice, args, kin, found);
    else await showPage(coppice, kin, found);
    return found;
  },
};

const nothingToShow = (): UserError =>
  new UserError(
    vscode.l10n.t('There is no before and after to show'),
    vscode.l10n.t('no run has measured the original or a model that was made from it'),
    vscode.l10n.t('Prune it first, or run “Compare with the Original…” on a model that was made from it.'),
  );

async function save(coppice: Coppice, args: BeforeAfterArguments, kin: Kin, found: BeforeAfter): Promise<void> {
  const ending = args.save === 'markdown' ? 'md' : 'html';
  const file = args.out ?? (await askForFile(`before-after.${ending}`));
  if (file === undefined) return;
  const parts = await pageParts(coppice, kin, found);
  const page = file.endsWith('.md')
    ? `${beforeAfterMarkdown(found, 2, parts.verdict)}\n`
    : beforeAfterHtml(found, await styleSheet(coppice), parts);
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
