/**
 * bfloat16 where it can be computed, and its definition where it cannot: a source that rounds the factors of every Linear to bfloat16
 * and multiplies in float32.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import type { Graph, Value } from '../../src/engine/onnx/graph';
import { linear } from '../../src/engine/onnx/ops/linear';
import { cast } from '../../src/engine/onnx/ops/shapes';
import { Over } from '../../src/engine/weights/over';
import type { AppliedLinear } from '../../src/engine/weights/source';
import type { FoundProducts } from '../../src/engine/onnx/bfloat16-trial';
import type { LossJob } from './bfloat16-program';

/** Runs Node on arm64: this one, or the program that COPPICE_TEST_ARM64 names, which takes Node's arguments. */
export const arm64Node: string | undefined =
  process.env.COPPICE_TEST_ARM64 ??
  (process.platform === 'linux' && process.arch === 'arm64' ? process.execPath : undefined);

export interface Arm64Answer {
  /** Why bfloat16 cannot be used there. */
  readonly fault: string | null;
  readonly products: FoundProducts;
  /** The loss of each token, row by row, for each job. */
  readonly losses: readonly (readonly number[])[];
}

/** What such a machine computes. An emulated one takes minutes. */
export async function onArm64(jobs: readonly LossJob[], node = arm64Node!): Promise<Arm64Answer> {
  // Beside the project's packages, so that it finds onnxruntime.
  const folder = resolve('node_modules/.cache/coppice-arm64');
  mkdirSync(folder, { recursive: true });
  const outfile = join(folder, 'program.mjs');
  await build({
    entryPoints: [join(import.meta.dirname, 'bfloat16-program.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'error',
  });
  const { stdout, stderr, status } = spawnSync(node, [outfile, JSON.stringify(jobs)], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${node} ended with ${status}: ${stderr}`);
  const [first, ...losses] = stdout.trim().split('\n');
  const known = JSON.parse(first) as Omit<Arm64Answer, 'losses'>;
  return { ...known, losses: losses.map((line) => JSON.parse(line) as number[]) };
}

/** Linears of rounded factors, in float32. */
export class RoundedLinears extends Over {
  apply(g: Graph, x: Value, linears: readonly AppliedLinear[]): Value[] {
    const rounded = (value: Value): Value => cast(g, cast(g, value, 'bfloat16'), 'float32');
    const input = rounded(x);
    return linears.map(({ key, rows, bias }) => linear(g, input, rounded(this.source.bind(g, key, rows)), bias));
  }
}
