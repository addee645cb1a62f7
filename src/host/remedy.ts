/** The text of an error in the editor, and the actions for it. Does not use VS Code. */
import { capitalized } from '../format/words';
import { existsSync } from 'node:fs';
import { DeviceError, messageOf, UserError } from '../engine/errors';
import { stateFileOf } from '../engine/retrain/loop/workspace';
import { l10n } from '../l10n';
import type { JobSpec } from '../protocol/jobs';
import { JobInterrupted } from '../sidecar/interrupted';
import { SidecarBug } from '../sidecar/wire';
import { PartsFailed } from '../state/words/cluster-looks';
import { advisesToResume, type Limits, raisedLimits } from './option-names';
import { UntrustedError } from './restricted';

/** Changes for running the command again. */
export interface Changes extends Limits {
  readonly device?: 'cpu';
  readonly resume?: true;
}

export interface Action {
  readonly label: string;
  /** Runs the command again with these arguments. */
  readonly changes?: Changes;
  /** Runs a command of VS Code instead. Without `changes` and `command` the log is shown. */
  readonly command?: 'workbench.trust.manage';
}

export interface Remedy {
  readonly text: string;
  readonly actions: readonly Action[];
}

/** @param provider the current execution provider, if known */
export function remedyOf(error: unknown, provider: string | undefined): Remedy {
  const runOnCpu: Action = { label: l10n.t('Run on the CPU'), changes: { device: 'cpu' } };
  const showLog: Action = { label: l10n.t('Show Log') };
  const resume: Action = { label: l10n.t('Resume'), changes: { resume: true } };
  if (error instanceof JobInterrupted) {
    const again: Action = error.resume ? resume : { label: l10n.t('Run Again'), changes: {} };
    // A failing driver ends the whole process, which looks like any other crash.
    return { text: sentence(error), actions: [again, ...(mayBlameGpu(error.spec, provider) ? [runOnCpu] : [])] };
  }
  // The device never changes silently: the user decides.
  if (error instanceof DeviceError || (error instanceof SidecarBug && error.offer === 'cpu')) {
    const text = error instanceof DeviceError ? capitalized(`${error.what}: ${error.why}.`) : error.message;
    return { text, actions: [runOnCpu] };
  }
  if (error instanceof UntrustedError) {
    const manage: Action = { label: l10n.t('Manage Workspace Trust'), command: 'workbench.trust.manage' };
    return { text: sentence(error), actions: [manage] };
  }
  if (error instanceof PartsFailed)
    return { text: sentence(error), actions: [{ label: l10n.t('Run Failed Parts Again'), changes: {} }, showLog] };
  if (error instanceof UserError) {
    const { action } = error.texts;
    const limits = raisedLimits(action);
    const allow: Action | undefined = limits && { label: l10n.t('Write Anyway'), changes: limits };
    return { text: sentence(error), actions: [allow ?? (advisesToResume(action) ? resume : showLog)] };
  }
  const message = messageOf(error);
  return { text: l10n.t('An unexpected error occurred in Coppice: {0}', message), actions: [showLog] };
}

/** Resumes a retraining that has a saved state: a new one into the same folder would be refused. */
export const goOn = ({ out }: { readonly out?: string }): Changes =>
  out !== undefined && existsSync(stateFileOf(out)) ? { resume: true } : {};

function mayBlameGpu({ kind, device }: JobSpec, provider: string | undefined): boolean {
  const computes = kind !== 'prune' && kind !== 'merge';
  return computes && device !== 'cpu' && provider !== undefined && provider !== 'cpu';
}

const sentence = ({ what, why, action }: UserError): string => capitalized(`${what}: ${why}. ${action}`);
