/** The models that runs are about: the files of a checkpoint, what is left out of them, and what lies on top. */

export interface ModelRef {
  /** Equal for the same model in different runs. */
  readonly key: string;
  readonly name: string;
  readonly identity?: string;
  readonly removed: readonly (number | string)[];
  /** Names of healed weights and adapter. */
  readonly patch?: string;
  readonly adapter?: string;
}

export type Described = Omit<ModelRef, 'key'>;

export function refOf({ name, identity, removed, patch, adapter }: Described): ModelRef {
  const key = JSON.stringify([identity ?? name, removed, patch ?? null, adapter ?? null]);
  return {
    key,
    name,
    ...(identity !== undefined && { identity }),
    removed,
    ...(patch !== undefined && { patch }),
    ...(adapter !== undefined && { adapter }),
  };
}

/** Nothing is left out, healed or adapted. */
export const isWhole = ({ removed, patch, adapter }: ModelRef): boolean =>
  removed.length === 0 && patch === undefined && adapter === undefined;

/** "SmolLM2-135M without 10, 12 + adapter": an adapter or healed weights name what is left out themselves. */
export function labelOf({ name, removed, patch, adapter }: ModelRef): string {
  const on = [patch, adapter].filter((each) => each !== undefined);
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
export function argumentsOf({ name, removed, patch, adapter }: ModelRef): string {
  const options = [
    ...(patch === undefined ? [] : [`--heal ${patch}`]),
    ...(adapter === undefined ? [] : [`--adapter ${adapter}`]),
    ...(removed.length > 0 && patch === undefined && adapter === undefined ? [`--remove ${removed.join(',')}`] : []),
  ];
  return [name, ...options].join(' ');
}
