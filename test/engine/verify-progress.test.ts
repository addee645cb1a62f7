/** How far an export is: what comes after the last block counts too, word by word. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { Progress } from '../../src/engine/progress';
import { runSpec } from '../../src/jobs/run-spec';
import { temporaryFolder } from '../support/temporary';
import { tinyCheckpoint } from '../support/tiny-models';

describe('progress of an export', () => {
  for (const [format, out] of [
    ['gguf', 'model.gguf'],
    ['onnx', 'onnx'],
  ] as const) {
    it(`names rows and words of ${format}, and does not stand still after the last row`, async () => {
      const checkpoint = tinyCheckpoint('llama-plain', { tokenizer: true });
      const reports: Progress[] = [];
      await runSpec(
        { kind: 'export', checkpoint, format, out: join(temporaryFolder(), out) },
        { job: { onProgress: (progress) => reports.push(progress) }, hooks: {}, emit: () => undefined },
      );
      const labels = reports.map(({ label }) => label);
      assert.ok(labels.includes('opening the source') && labels.includes('the source, row 1 of 2'), labels.join());
      assert.ok(labels.some((label) => /^(what was written|running fp32), word 2 of \d+$/.test(label)));
      const words = reports.filter(({ label }) => /^the source, word \d+ of/.test(label)).map(({ done }) => done);
      assert.ok(words.length > 2 && words.every((done, i) => i < 2 || done > words[i - 1]), words.join());
      assert.equal(reports.at(-1)?.done, 1);
    });
  }
});
