/**
 * What is written of every family opens in stock transformers, which reads nothing but config and weights: no weight is missing or
 * left over, and it computes the same logits and text.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { generate } from '../../../src/engine/evaluate/generate';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import { assertAllClose, TOLERANCE } from '../../support/close';
import { itWith, torchPython } from '../../support/consumers';
import {
  calibrationFile,
  calibrationRows,
  checkpointFolder,
  EXPERT_FAMILIES,
  FURTHER_FAMILIES,
  goldenGreedy,
  type GoldenName,
  MIXED_FAMILIES,
} from '../../support/golden';
import { runOn } from '../../support/jobs';
import { wholeLogits, withModelOf } from '../../support/model';
import { describeShared, shared } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';
import { CONTINUED, inTransformers } from '../../support/transformers';

/** Written by llama.cpp's own writer, so that their configs are made from GGUF's keys. */
const GGUF_FILES = [
  ['granite4-dense', 'families3/granite4-dense'],
  ['lfm2-conv', 'families3/lfm2-conv'],
  ['mixtral-top2', 'families3/mixtral-top2'],
  ['qwen35-text', 'families3/qwen35-text'],
  ['qwen3moe-norm-without-2', 'families3/qwen3moe-norm'],
] as const;

interface Written {
  readonly title: string;
  readonly folder: string;
  readonly rows: readonly (readonly number[])[];
}

describeShared('written checkpoints in transformers', () => {
  itWith(torchPython, 'have all weights, the same logits, and the same text', async function (this: Mocha.Context) {
    this.timeout('20m');
    const written: Written[] = [];
    const add = async (title: string, name: GoldenName, write: (out: string) => Promise<unknown>): Promise<void> => {
      const folder = join(temporaryFolder(), 'written');
      await write(folder);
      written.push({ title, folder, rows: calibrationRows(name).slice(0, 2) });
    };
    const prune = (checkpoint: string, blocks: readonly number[]) => (out: string) =>
      runOn('prune', { checkpoint, blocks, out });
    for (const name of [
      ...FURTHER_FAMILIES.map((toy) => `families2/${toy}` as const),
      ...[...MIXED_FAMILIES, ...EXPERT_FAMILIES].map((toy) => `families3/${toy}` as const),
    ]) {
      await add(`${name} without two blocks`, name, prune(checkpointFolder(name), goldenGreedy(name).removed));
    }
    for (const toy of EXPERT_FAMILIES) {
      const name = `families3/${toy}` as const;
      const given = { checkpoint: checkpointFolder(name), calibration: calibrationFile(name), measure: false };
      await add(`${name} with fewer experts`, name, (out) => runOn('experts', { ...given, out }));
      const remove = goldenGreedy(name).removed;
      await add(`${name} with fewer experts and blocks`, name, (out) => runOn('experts', { ...given, remove, out }));
    }
    for (const [file, name] of GGUF_FILES) {
      await add(`${file}.gguf without a block`, name, prune(shared('models/gguf-families3', `${file}.gguf`), [1]));
    }
    const found = inTransformers(written);
    for (const [i, { title, folder, rows }] of written.entries()) {
      const { odd, logits, continued } = found[i];
      assert.deepEqual(odd, [], title);
      await withModelOf(await openCheckpoint(folder), async (model) => {
        for (const [r, row] of rows.entries()) {
          const own = await wholeLogits(model, row, [...row.keys()]);
          for (const [position, values] of own.entries()) {
            assertAllClose(values, logits[r][position], TOLERANCE.logits, `${title}, row ${r}, position ${position}`);
          }
        }
        const half = rows[0].slice(0, rows[0].length >> 1);
        const { ids } = await generate(model, half, { maxNewTokens: CONTINUED, greedy: true, ignoreEos: true });
        assert.deepEqual(ids, continued, title);
      });
    }
  });
});
