/** The models that runs are about: the files of a checkpoint, what is left out of them, and what lies on top. */

import { namesOnTop, onTop, type OnTop, onTopKey } from '../../../format/on-top';

export interface ModelRef extends OnTop {
  /** Equal for the same model in different runs. */
  readonly key: string;
  readonly name: string;
  readonly identity?: string;
  readonly removed: readonly (number | string)[];
}

export type Described = Omit<ModelRef, 'key'>;

export function refOf({ name, identity, removed, ...others }: Described): ModelRef {
  const key = JSON.stringify([identity ?? name, removed, onTopKey(others)]);
  return {
    key,
    name,
    ...(identity !== undefined && { identity }),
    removed,
    ...onTop(others),
  };
}

/** Nothing is left out, narrowed, healed or adapted. */
export const isWhole = (model: ModelRef): boolean => model.removed.length === 0 && namesOnTop(model).length === 0;

/** "SmolLM2-135M without 10, 12 + adapter": an adapter or healed weights name what is left out themselves. */
export function labelOf({ name, removed, ...others }: ModelRef): string {
  const on = namesOnTop(others);
  if (on.length > 0) return [name, ...on].join(' + ');
  return removed.length === 0 ? name : `${name} without ${removed.join(', ')}`;
}

/** The same beside another model: the name of the same checkpoint is not repeated. */
export function labelBeside(model: ModelRef, first: ModelRef): string {
  const label = labelOf(model);
  const isOf = model.identity !== undefined && model.identity === first.identity && label.startsWith(`${first.name} `);
  return isOf ? label.slice(first.name.length + 1) : label;
}

/** The model as arguments of a command. */
export function argumentsOf({ name, removed, width, patch, adapter }: ModelRef): string {
  const options = [
    ...(width === undefined ? [] : [`--width ${width}`]),
    ...(patch === undefined ? [] : [`--heal ${patch}`]),
    ...(adapter === undefined ? [] : [`--adapter ${adapter}`]),
    ...(removed.length > 0 && patch === undefined && adapter === undefined ? [`--remove ${removed.join(',')}`] : []),
  ];
  return [name, ...options].join(' ');
}
