/** The start of a LoRA run, if not random: an existing adapter, or a formula that other programs can compute too. */
import { basename, dirname } from 'node:path';
import { type LinearName, withoutLayers } from '../../checkpoint/architecture';
import { requireArchitecture } from '../../checkpoint/open';
import type { Checkpoint } from '../../checkpoint/types';
import { UserError } from '../../errors';
import { option } from '../../option-token';
import type { Adapter } from '../../adapter/adapter';
import { readAdapter } from '../../adapter/files';
import type { Parameters } from '../loop/adamw';
import { adapterName } from '../../adapter/names';
import { formulaNumber } from '../../random';
import { loraParameterName } from './lora-model';

/** Selects the formula instead of a folder. */
export const FORMULA = 'formula';

/** B starts with small values and not at zero, so that the first gradient of A is not zero. */
const FORMULA_B = 0.02;

/**
 * Reads an adapter of the model without `removed`.
 * @param path the adapter's folder, or its weights file
 * @throws UserError when it is damaged or of another model
 */
export function readStart(path: string, checkpoint: Checkpoint, removed: readonly number[]): Promise<Adapter> {
  const whole = requireArchitecture(checkpoint);
  const pruned = { ...checkpoint, architecture: withoutLayers(whole, removed) };
  const folder = basename(path).includes('.safetensors') ? dirname(path) : path;
  return readAdapter(folder, pruned, { anyBase: true });
}

/**
 * Copies the adapter's matrices into the parameters.
 * @throws UserError when it adapts other Linears or blocks, or has another rank
 */
export function startFrom({ matrices }: Adapter, parameters: Parameters): void {
  const given = new Map(
    [...matrices].flatMap(([k, named]) =>
      Object.entries(named).map(([key, values]) => [loraParameterName(k, key), values] as const),
    ),
  );
  for (const [name, { values }] of parameters) {
    const start = given.get(name);
    if (start?.length !== values.length) {
      throw new UserError(
        'Training cannot start from this adapter',
        start ? `its ${name} has ${start.length} numbers instead of ${values.length}` : `it has no ${name}`,
        `Train the same blocks with the same ${option('targets')} and ${option('rank')}.`,
      );
    }
    values.set(start);
  }
  const trained = new Set([...parameters.keys()].map((name) => name.slice(0, name.indexOf('.'))));
  const lost = [...matrices.keys()].find((k) => !trained.has(String(k)));
  if (lost !== undefined) {
    throw new UserError(
      'Training cannot start from this adapter',
      `it adapts block ${lost}, which would not be trained, so that its part would be lost`,
      `Leave ${option('where')} out: the blocks of the adapter are trained then.`,
    );
  }
}

/**
 * The same start in every program: u(n, k)[i] = ((i · 2654435761 + k · 40503 + 12345) mod 2³²) / 2³¹ − 1. For Linear
 * number t = n · block + index, with the n Linears of the model's blocks, A = u(·, 2t) / √in and B = 0.02 · u(·, 2t + 1).
 *
 * @param linears of the model's blocks, in their order
 */
export function startFromFormula(
  parameters: Parameters,
  targets: readonly LinearName[],
  blocks: readonly number[],
  linears: readonly LinearName[],
): void {
  for (const k of blocks) {
    for (const linear of targets) {
      const t = k * linears.length + linears.indexOf(linear);
      const a = parameters.get(loraParameterName(k, adapterName(linear, 'A')));
      const b = parameters.get(loraParameterName(k, adapterName(linear, 'B')));
      if (!a || !b) continue; // blocks of other kinds lack it
      fill(a.values, 2 * t, 1 / Math.sqrt(a.shape[1]));
      fill(b.values, 2 * t + 1, FORMULA_B);
    }
  }
}

function fill(values: Float32Array, k: number, factor: number): void {
  for (let i = 0; i < values.length; i++) values[i] = formulaNumber(i, k) * factor;
}
