/** Verify Exported Model…: compares what was exported with the model that it was written from. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { CancelledError } from '../engine/errors';
import type { VerifyResult } from '../protocol/export';
import type { VerifySpec } from '../protocol/jobs';
import type { Command, CommonArguments } from '../host/command';
import { inform } from '../host/inform';
import { runJob } from '../host/run-job';

export interface VerifyArguments extends CommonArguments {
  /** The exported file or folder; that of the selected line if it has one. */
  readonly output?: string;
  readonly against?: string;
  readonly remove?: readonly (number | string)[];
  readonly heal?: string;
  readonly adapter?: string;
  readonly consumers?: boolean;
}

export const verifyExportCommand: Command<VerifyArguments> = {
  id: 'coppice.verifyExport',
  needsTrust: true,
  async run(coppice, args, settle) {
    const output = args.output ?? args.checkpoint ?? (await askOutput());
    const { against, remove, heal, adapter, consumers, device } = args;
    settle({ ...args, output });
    const spec: VerifySpec = { kind: 'verify', output, against, remove, heal, adapter, consumers };
    const { result } = await runJob(coppice, spec, { device });
    tell(args, result);
    return result;
  },
};

/** Files and folders at once are not offered by dialogs of all systems. */
async function askOutput(): Promise<string> {
  const title = vscode.l10n.t('Verify Exported Model');
  const file = { label: vscode.l10n.t('A GGUF file…'), isFile: true };
  const folder = { label: vscode.l10n.t('A folder…'), isFile: false };
  const kind = await vscode.window.showQuickPick([file, folder], { title });
  if (!kind) throw new CancelledError();
  const picked = await vscode.window.showOpenDialog({
    title,
    canSelectFiles: kind.isFile,
    canSelectFolders: !kind.isFile,
    ...(kind.isFile && { filters: { GGUF: ['gguf'] } }),
  });
  if (!picked?.[0]) throw new CancelledError();
  return picked[0].fsPath;
}

function tell(args: CommonArguments, { out, against, verified, consumers }: VerifyResult): void {
  const name = basename(out);
  const others = consumers.filter(({ equal }) => equal === false).map((consumer) => consumer.name);
  if (verified.passed && others.length === 0) {
    const ran = consumers.filter(({ equal }) => equal).map((consumer) => consumer.name);
    const text =
      ran.length === 0
        ? vscode.l10n.t('{0} is {1}, as far as its type allows.', name, against)
        : vscode.l10n.t(
            '{0} is {1}, as far as its type allows; {2} write the same.',
            name,
            against,
            [...new Set(ran)].join(', '),
          );
    inform(args, text);
  } else if (!args.throws) {
    const why = verified.why ?? vscode.l10n.t('{0} writes other tokens', others.join(', '));
    void vscode.window.showWarningMessage(vscode.l10n.t('{0} is not {1}: {2}.', name, against, why));
  }
}
