/**
 * What a machine computes in bfloat16, as lines of JSON: the known products, then for every job it is given the loss of each row. It
 * is bundled, and runs in another Node, which may be that of an emulated arm64 machine.
 *
 *   node PROGRAM '[{"path": "media/sample", "rows": [[1, 5, 9]], "precision": "bfloat16"}]'
 */
import { writeSync } from 'node:fs';
import { openCheckpoint } from '../../src/engine/checkpoint/open';
import { measuredRows } from '../../src/engine/evaluate/perplexity';
import { openModel } from '../../src/engine/model/model';
import { fullView } from '../../src/engine/model/view';
import { bfloat16Fault, tryProducts } from '../../src/engine/onnx/bfloat16-trial';
import type { Precision } from '../../src/engine/precision';

export interface LossJob {
  readonly path: string;
  /** All of one length. */
  readonly rows: readonly (readonly number[])[];
  readonly precision: Precision;
}

const say = (found: unknown): number => writeSync(1, `${JSON.stringify(found)}\n`);

async function losses({ path, rows, precision }: LossJob): Promise<readonly number[]> {
  const model = await openModel(await openCheckpoint(path), { device: 'cpu', threads: 1, precision });
  try {
    const ids = rows.map((row) => Int32Array.from(row));
    const { numbers } = await measuredRows(model, ids, fullView(model.architecture.layers.length));
    return [...numbers.nll];
  } finally {
    await model.close();
  }
}

async function main(): Promise<void> {
  say({ fault: (await bfloat16Fault()) ?? null, products: await tryProducts() });
  for (const job of JSON.parse(process.argv[2]) as LossJob[]) say(await losses(job));
}

await main();
