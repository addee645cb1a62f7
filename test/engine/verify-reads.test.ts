/** How often an export and its comparison read the weights of the file that was written, and of its source. */
import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { runSpec } from '../../src/jobs/run-spec';
import { type Reads, readsOf } from '../support/reads';
import { temporaryFolder } from '../support/temporary';

const SAMPLE = resolve(import.meta.dirname, '../../media/sample');
const SOURCE = 'model.safetensors';

/** Beside the weights, as a share of the sample: headers, whenever a file is opened, and rows of the embedding for tokens. */
const BESIDE = 0.15;

/** Bytes of the same of a GGUF file, whose header has the vocabulary. */
const HEADERS = 2 ** 20;

const CONTEXT = { job: {}, hooks: {}, emit: () => undefined };

const share = (reads: Reads, name: string, file: string): number => (reads.get(name) ?? 0) / statSync(file).size;

describe('reads of an export and its comparison', () => {
  for (const type of ['f16', 'q4_0', 'q8_0', 'q4_k_m'] as const) {
    it(`reads a GGUF file in ${type} twice, and its source once more to write it`, async () => {
      const out = join(temporaryFolder(), 'written.gguf');
      const spec = { kind: 'export', checkpoint: SAMPLE, format: 'gguf', type: [type], out } as const;
      const exporting = await readsOf(() => runSpec(spec, CONTEXT));
      // The comparison reads it under its temporary name, or by the one that links resolve to.
      const written = [...exporting].filter(([name]) => name !== SOURCE).reduce((sum, [, bytes]) => sum + bytes, 0);
      assert.ok(written > 1.9 * statSync(out).size, 'what is read is counted');
      assert.ok(written < 2 * statSync(out).size + HEADERS, `${written / statSync(out).size}`);
      assert.ok(share(exporting, SOURCE, join(SAMPLE, SOURCE)) < 3 + BESIDE);
      const verifying = await readsOf(() => runSpec({ kind: 'verify', output: out, against: SAMPLE }, CONTEXT));
      assert.ok((verifying.get('written.gguf') ?? 0) < 2 * statSync(out).size + HEADERS);
      assert.ok(share(verifying, SOURCE, join(SAMPLE, SOURCE)) < 2 + BESIDE);
    });
  }

  it('reads safetensors twice each, and hashes what it names', async () => {
    const out = join(temporaryFolder(), 'written');
    const spec = { kind: 'export', checkpoint: SAMPLE, format: 'safetensors', type: ['bf16'], out } as const;
    await runSpec(spec, CONTEXT);
    const reads = await readsOf(() => runSpec({ kind: 'verify', output: out, against: SAMPLE }, CONTEXT));
    // Both files have one name: two and two, and one for the hash.
    const both = statSync(join(SAMPLE, SOURCE)).size + statSync(join(out, SOURCE)).size;
    assert.ok((reads.get(SOURCE) ?? 0) > 1.9 * both, 'what is read is counted');
    assert.ok((reads.get(SOURCE) ?? 0) < (2 + BESIDE) * both + statSync(join(out, SOURCE)).size);
  });

  it('reads ONNX once for the hash beside its session, and the source once', async () => {
    const out = join(temporaryFolder(), 'written');
    const spec = { kind: 'export', checkpoint: SAMPLE, format: 'onnx', type: ['fp32', 'q4'], out } as const;
    const exporting = await readsOf(() => runSpec(spec, CONTEXT));
    // Each type is written from the source once; the comparison reads it once for both.
    assert.ok(share(exporting, SOURCE, join(SAMPLE, SOURCE)) < 4 + BESIDE);
    const verifying = await readsOf(() => runSpec({ kind: 'verify', output: out, against: SAMPLE }, CONTEXT));
    assert.ok(share(verifying, SOURCE, join(SAMPLE, SOURCE)) < 1 + BESIDE);
    for (const name of readdirSync(join(out, 'onnx'))) {
      assert.ok(share(verifying, name, join(out, 'onnx', name)) < 1 + BESIDE, name);
      assert.ok(share(verifying, name, join(out, 'onnx', name)) > 0.9, `${name} is counted`);
    }
  });
});
