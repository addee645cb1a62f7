/**
 * Report Issue…: shows what an issue would contain, without paths and names, and leads to VS Code's issue reporter. Coppice
 * sends nothing: the user reads and changes the text, and decides.
 */
import { readFile } from 'node:fs/promises';
import { homedir, hostname, release, tmpdir, userInfo } from 'node:os';
import * as vscode from 'vscode';
import type { Command } from '../host/command';
import type { Coppice } from '../host/coppice';
import { inputFolders } from '../host/input-folders';
import { issueText, tellableSettings } from '../host/issue-report';
import type { PrivateNames } from '../host/private-text';
import { settingsOf } from '../jobs/settings';
import { toast } from '../host/toast';

export const reportIssueCommand: Command = {
  id: 'coppice.reportIssue',
  async run(coppice, args) {
    const content = issueText(await factsOf(coppice), namesOf(coppice));
    const document = await vscode.workspace.openTextDocument({ language: 'markdown', content });
    await vscode.window.showTextDocument(document, { preview: false });
    if (!args.throws) void offer(coppice, document);
    return content;
  },
};

/** Takes the text as the user leaves it. */
async function offer({ context }: Coppice, document: vscode.TextDocument): Promise<void> {
  const { t } = vscode.l10n;
  const [report, copy] = [t('Open Issue Reporter'), t('Copy')];
  const text = t(
    'This text is all that Coppice gives to the issue reporter. Read and change it; Coppice sends nothing.',
  );
  const chosen = await toast.info(text, report, copy);
  const issueBody = document.getText();
  if (chosen === copy) await vscode.env.clipboard.writeText(issueBody);
  if (chosen !== report) return;
  const extensionId = context.extension.id;
  // Both names: VS Code has changed what it reads.
  await vscode.commands.executeCommand('workbench.action.openIssueReporter', {
    extensionId,
    issueBody,
    data: issueBody,
  });
}

async function factsOf({ context, sidecar, log }: Coppice) {
  const manifest = context.extension.packageJSON as Parameters<typeof settingsOf>[0] & { readonly version: string };
  const { version } = manifest;
  const { device } = sidecar;
  const settings = vscode.workspace.getConfiguration();
  const versions: [string, string][] = [
    ['Coppice', version],
    ['VS Code', `${vscode.version} (${vscode.env.appHost}${vscode.env.remoteName === undefined ? '' : ', remote'})`],
    ['Node', process.versions.node],
    ['system', `${process.platform} ${process.arch} ${release()}`],
  ];
  return {
    versions,
    device: device && `${device.provider} (${device.why})`,
    settings: tellableSettings(settingsOf(manifest), (name) => settings.get(name)),
    log: await endOfLog(context).catch((error: unknown) => {
      log.warn(`The log cannot be read: ${String(error)}`);
      return '';
    }),
  };
}

/** VS Code keeps the channel's text under its name. */
const endOfLog = ({ logUri }: vscode.ExtensionContext): Promise<string> =>
  readFile(vscode.Uri.joinPath(logUri, 'Coppice.log').fsPath, 'utf8');

function namesOf(coppice: Coppice): PrivateNames {
  const { extensionUri, globalStorageUri } = coppice.context;
  const own = [extensionUri, globalStorageUri].map(({ fsPath }) => fsPath);
  return { paths: [...inputFolders(coppice), ...own, homedir(), tmpdir()], names: [userInfo().username, hostname()] };
}
