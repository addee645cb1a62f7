/** The model that a command runs: the whole checkpoint, or pruned by its plan, with an optional adapter. */
import * as vscode from 'vscode';
import type { Coppice } from '../coppice';
import type { ModelSource } from '../../protocol/jobs';
import type { Chosen } from './choose-checkpoint';
import { pick, type Step, when } from './steps';

export interface ModelChoice {
  /** Removes the blocks of the plan. */
  readonly plan?: boolean;
  /** Removes these blocks or modules instead. */
  readonly remove?: readonly (number | string)[];
  /** Folder of an adapter. */
  readonly adapter?: string;
}

/** Asks only if there is a plan. An adapter names the blocks that were removed for it. */
export function modelStep<S extends ModelChoice>({ plans }: Coppice, { subject }: Chosen): Step<S> {
  const removed = plans.removed(subject);
  const isOpen = ({ adapter, plan, remove }: S): boolean => [adapter, plan, remove].every((each) => each === undefined);
  const step: Step<S> = async (_, place) => {
    const choices = [
      {
        label: vscode.l10n.t('Pruned by the plan'),
        description: vscode.l10n.t('without {0}', removed.join(', ')),
        value: true,
      },
      { label: vscode.l10n.t('Original'), value: false },
    ];
    const plan = await pick(place, vscode.l10n.t('Select the model to run'), choices, true);
    return { plan } as Partial<S>;
  };
  return when((state) => removed.length > 0 && isOpen(state), step);
}

export function modelSource(
  { plans }: Coppice,
  { path, subject }: Chosen,
  { plan, remove, adapter }: ModelChoice,
): ModelSource {
  const without = remove ?? (plan === true ? plans.removed(subject) : []);
  return {
    checkpoint: path,
    ...(without.length > 0 && { remove: without }),
    ...(adapter !== undefined && { adapter }),
  };
}
