/** The question which changes of a checkpoint are written with it: its plan, healed weights, or an adapter. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { ADAPTERS, FittingList, PATCHES } from '../editors/results/fitting-list';
import type { Chosen } from '../host/ask/choose-checkpoint';
import type { JobArguments } from '../host/command';
import type { Coppice } from '../host/coppice';
import { type PickChoice, pick, type Step } from '../host/ask/steps';
import { PATCH } from '../state/group-files';

/** Healed weights and adapters name the blocks to leave out themselves. */
export type WrittenChanges = JobArguments<'export', 'remove' | 'heal' | 'adapter'>;

/** @returns no step where the workspace has neither healed weights nor adapters that belong to the checkpoint */
export async function changesSteps<S extends WrittenChanges>(
  { library, plans }: Coppice,
  { checkpoint, subject }: Pick<Chosen, 'checkpoint' | 'subject'>,
): Promise<Step<S>[]> {
  const [patches, adapters] = [PATCHES, ADAPTERS].map((kind) => new FittingList(checkpoint, kind));
  await Promise.all([patches.refresh(library.patches()), adapters.refresh(library.adapters())]);
  if (patches.fitting.length + adapters.fitting.length === 0) return [];
  const choices = choicesOf(plans.removed(subject), patches.fitting, adapters.fitting);
  const step: Step<S> = async (_, place) => {
    const picked = await pick(place, vscode.l10n.t('Select the model to write'), choices, choices[0].value);
    return picked as Partial<S>;
  };
  return [step];
}

function choicesOf(
  removed: readonly number[],
  patches: readonly string[],
  adapters: readonly string[],
): PickChoice<WrittenChanges>[] {
  const { t } = vscode.l10n;
  const without = t('without {0}', removed.join(', '));
  const plan = { label: t('Pruned by the plan'), description: without, value: { remove: removed } };
  const where = (path: string): string => vscode.workspace.asRelativePath(path);
  return [
    ...(removed.length > 0 ? [plan] : []),
    { label: t('Original'), value: { remove: [] } },
    ...patches.map((heal) => ({
      label: basename(heal, PATCH),
      description: t('healed weights'),
      detail: where(heal),
      value: { heal },
    })),
    ...adapters.map((adapter) => ({
      label: basename(adapter),
      description: t('adapter'),
      detail: where(adapter),
      value: { adapter },
    })),
  ];
}
