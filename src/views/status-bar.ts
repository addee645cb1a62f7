/**
 * The status bar item: the running job with its progress, the device and the reason for it, and errors. A click shows
 * the jobs, or the log when the sidecar has failed.
 */
import * as vscode from 'vscode';
import type { DeviceInfo, JobInfo } from '../protocol/jobs';
import type { SidecarClient, SidecarStatus } from '../sidecar/client';
import { deviceLines } from '../state/words/device-words';
import { appendPlain } from './plain-markdown';
import { progressShort, stateLine } from '../state/words/progress-words';
import { jobTitle, jobWord } from '../jobs/titles';

const MANAGE_TRUST = 'workbench.trust.manage';

export class StatusBar implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem('coppice.status', vscode.StatusBarAlignment.Left, 0);
  private readonly subscriptions: { dispose(): void }[];

  constructor(private readonly sidecar: SidecarClient) {
    const update = (): void => this.update();
    this.subscriptions = [
      this.item,
      sidecar.onStatus(update),
      sidecar.onJobs(update),
      sidecar.onDevice(update),
      sidecar.onProgress(update),
      vscode.workspace.onDidGrantWorkspaceTrust(update),
    ];
    this.item.name = 'Coppice';
    this.update();
    this.item.show();
  }

  dispose(): void {
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  private update(): void {
    const { status, jobs, device } = this.sidecar;
    const { item } = this;
    item.text = textOf(status, jobs);
    item.tooltip = tooltipOf(
      status,
      jobs.map((job) => jobLine(job, this.sidecar.isBehind(job.id))),
      device,
    );
    item.command = status.state === 'failed' ? 'coppice.showLog' : 'coppice.showJobs';
    item.backgroundColor = backgroundOf(status);
    item.accessibilityInformation = { label: `Coppice: ${item.text.replace(/\$\([^)]*\)/g, '').trim()}` };
  }
}

function textOf(status: SidecarStatus, jobs: readonly JobInfo[]): string {
  if (status.state === 'failed') return `$(error) Coppice`;
  if (status.state === 'restarting') return `$(warning) Coppice`;
  const [running] = jobs;
  if (!running) return '$(layers) Coppice';
  const { progress } = running;
  const far = progress ? progressShort(progress) : '';
  const waiting = jobs.length > 1 ? ` (+${jobs.length - 1})` : '';
  return `$(loading~spin) ${jobWord(running.kind)}${far === '' ? '' : ` ${far}`}${waiting}`;
}

const jobLine = (job: JobInfo, behind: boolean): string => `${jobTitle(job)}: ${stateLine(job, behind)}`;

function tooltipOf(
  status: SidecarStatus,
  jobLines: readonly string[],
  device: DeviceInfo | undefined,
): vscode.MarkdownString {
  const text = new vscode.MarkdownString('', true);
  text.isTrusted = { enabledCommands: ['coppice.showLog', 'coppice.restartSidecar', MANAGE_TRUST] };
  const paragraph = (line: string): void => void appendPlain(text, line).appendMarkdown('\n\n');
  jobLines.forEach(paragraph);
  paragraph(stateWords(status));
  if (device) deviceLines(device).forEach(paragraph);
  text.appendMarkdown(`[${vscode.l10n.t('Show Log')}](command:coppice.showLog)`);
  if (!vscode.workspace.isTrusted)
    text.appendMarkdown(` · [${vscode.l10n.t('Manage Workspace Trust')}](command:${MANAGE_TRUST})`);
  if (status.state === 'failed')
    text.appendMarkdown(` · [${vscode.l10n.t('Restart')}](command:coppice.restartSidecar)`);
  return text;
}

function stateWords(status: SidecarStatus): string {
  if (!vscode.workspace.isTrusted)
    return vscode.l10n.t('Coppice runs nothing in Restricted Mode. You can inspect checkpoints.');
  switch (status.state) {
    case 'stopped':
      return vscode.l10n.t('The compute process starts when it is needed.');
    case 'starting':
      return vscode.l10n.t('The compute process is starting.');
    case 'ready':
      return vscode.l10n.t('The compute process is ready (process ID {0}).', status.pid);
    case 'restarting':
      return vscode.l10n.t('The compute process ended and is restarting: {0}', status.why);
    case 'failed':
      return vscode.l10n.t('The compute process crashed repeatedly and was stopped: {0}', status.why);
  }
}

function backgroundOf({ state }: SidecarStatus): vscode.ThemeColor | undefined {
  if (state === 'failed') return new vscode.ThemeColor('statusBarItem.errorBackground');
  return state === 'restarting' ? new vscode.ThemeColor('statusBarItem.warningBackground') : undefined;
}
