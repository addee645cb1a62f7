/**
 * What a machine computes in bfloat16, as lines of JSON: the known products, then for every job it is given the loss of each token. It
 * is bundled, and runs in another Node, which may be that of an emulated arm64 machine.
 *
 *   node PROGRAM '[{"path": "media/sample", "rows": [[1, 5, 9]], "precision": "bfloat16", "kept": 1}]'
 */
import { writeSync } from 'node:fs';
import { openCheckpoint } from '../../src/engine/checkpoint/open';
import { openModel } from '../../src/engine/model/model';
import { bfloat16Fault, tryProducts } from '../../src/engine/onnx/bfloat16-trial';
import type { Precision } from '../../src/engine/precision';
import { tokenLosses } from './token-losses';

export interface LossJob {
  readonly path: string;
  /** All of one length. */
  readonly rows: readonly (readonly number[])[];
  readonly precision: Precision;
  /** How many of the first blocks there are. */
  readonly kept: number;
}

const say = (found: unknown): number => writeSync(1, `${JSON.stringify(found)}\n`);

async function losses({ path, rows, precision, kept }: LossJob): Promise<readonly number[]> {
  const model = await openModel(await openCheckpoint(path), { device: 'cpu', threads: 1, precision });
  try {
    return await tokenLosses(model, rows, kept);
  } finally {
    await model.close();
  }
}

async function main(): Promise<void> {
  say({ fault: (await bfloat16Fault()) ?? null, products: await tryProducts() });
  for (const job of JSON.parse(process.argv[2]) as LossJob[]) say(await losses(job));
}

await main();
