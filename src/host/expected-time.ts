/**
 * How long work takes on this machine, in words: the parts of recipes' estimates, at the speeds that the editor has learned
 * from finished jobs.
 */
import { markedTime } from '../jobs/rough-time';
import type { SpeedStore } from '../jobs/machine-speeds';
import { expectedOf, MachineSpeeds, type Part } from '../recipes/estimate/speeds';
import type { Coppice } from './coppice';

/** The speeds of the editor. */
export type Machine = Pick<Coppice, 'context' | 'speeds'> & {
  readonly sidecar: { readonly device?: { readonly provider: string } };
};

/** Seconds, and whether most of them follow from what this machine has done before. */
export interface ExpectedTime {
  readonly seconds: number;
  readonly measured: boolean;
}

export function machineSpeeds({ context, speeds, sidecar }: Machine): MachineSpeeds {
  const { globalState } = context;
  const store: SpeedStore = {
    get: (key) => globalState.get<unknown>(`speed.${key}`),
    update: (key, value) => globalState.update(`speed.${key}`, value),
  };
  return MachineSpeeds.over(store, speeds, sidecar.device?.provider);
}

export function expectedTime(machine: Machine, parts: readonly Part[]): ExpectedTime {
  const expected = expectedOf(parts, machineSpeeds(machine));
  return { seconds: expected?.seconds ?? 0, measured: expected?.from !== 'guess' };
}

export const timeOf = (machine: Machine, parts: readonly Part[]): string => markedTime(expectedTime(machine, parts));
