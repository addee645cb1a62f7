/** Shows an error once, with one action. What was cancelled is no error. */
import * as vscode from 'vscode';
import type { Coppice } from '../coppice';
import { CancelledError, DeviceError, UserError } from '../engine/errors';
import { JobInterrupted } from '../sidecar/interrupted';
import { SidecarBug } from '../sidecar/wire';
import type { CommonArguments } from './command';

type Again = (changes: CommonArguments & { readonly resume?: boolean }) => void;

/** @param again runs the command again as it was, with changes */
export function showFailure(coppice: Coppice, error: unknown, again: Again): void {
  if (error instanceof CancelledError) return;
  const { log } = coppice;
  const { text, action, then } = remedy(error, again);
  log.error(error instanceof Error && !(error instanceof UserError) ? (error.stack ?? error.message) : text);
  // Not awaited: the command is over, whether or not somebody clicks.
  void vscode.window.showErrorMessage(text, action).then((chosen) => {
    if (chosen === action) (then ?? (() => log.show()))();
  });
}

function remedy(
  error: unknown,
  again: Again,
): { readonly text: string; readonly action: string; readonly then?: () => void } {
  const showLog = vscode.l10n.t('Show Log');
  if (error instanceof JobInterrupted) {
    const resumable = error.resume !== undefined;
    const action = resumable ? vscode.l10n.t('Resume') : vscode.l10n.t('Run Again');
    return { text: sentence(error), action, then: () => again(resumable ? { resume: true } : {}) };
  }
  // The device never changes silently: the user is asked.
  if (error instanceof DeviceError || (error instanceof SidecarBug && error.offer === 'cpu')) {
    const text = error instanceof DeviceError ? capitalized(`${error.what}: ${error.why}.`) : error.message;
    return { text, action: vscode.l10n.t('Run on the CPU'), then: () => again({ device: 'cpu' }) };
  }
  if (error instanceof UserError) return { text: sentence(error), action: showLog };
  const message = error instanceof Error ? error.message : String(error);
  return { text: vscode.l10n.t('Coppice met an unexpected error: {0}', message), action: showLog };
}

/** The engine speaks of options of the command line, some of which are settings here. */
const SETTINGS: Readonly<Record<string, string>> = {
  '--device': 'coppice.device',
  '--threads': 'coppice.threads',
  '--memory': 'coppice.memoryLimit',
};

const sentence = ({ what, why, action }: UserError): string =>
  capitalized(`${what}: ${why}. ${action}`).replace(/--\w+/g, (option) => SETTINGS[option] ?? option);

const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
