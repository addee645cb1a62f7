/** How often an export and its comparison read the weights of the file that was written, and of its source. */
import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { UserError } from '../../src/engine/errors';
import { hashFile } from '../../src/engine/files/regular-file';
import type { Progress } from '../../src/engine/progress';
import { recordIn } from '../../src/engine/records/record';
import { runSpec } from '../../src/jobs/run-spec';
import { type Reads, readsOf } from '../support/reads';
import { temporaryFolder } from '../support/temporary';

const SAMPLE = resolve(import.meta.dirname, '../../media/sample');
const SOURCE = 'model.safetensors';

/** How often a file is read at most: twice, and headers whenever it is opened, and rows of the embedding for tokens. */
const TWICE = 2.05;

/** How often a file is read at least, by what counts its reads. */
const [COUNTED_ONCE, COUNTED_TWICE, COUNTED_THRICE] = [0.9, 1.9, 2.9];

/** The source: to write, to compare numbers, and for what it says. */
const THRICE = 3.05;

/** Of the sample as a share: both ends of every tensor, which the writing of a GGUF file computes again. Its tensors are small. */
const ENDS = 0.1;

/** Bytes of what is read of a GGUF file beside its weights: its header has the vocabulary. */
const HEADERS = 2 ** 20;

const CONTEXT = { job: {}, hooks: {}, emit: () => undefined };

/** The name of the source's weights where they must be told from those of the output. */
const COPY = 'copy.safetensors';

/** The sample, whose weights are a link to a file of another name. */
function copied(): string {
  const folder = join(temporaryFolder(), 'copied');
  cpSync(SAMPLE, folder, { recursive: true });
  renameSync(join(folder, SOURCE), join(folder, COPY));
  symlinkSync(COPY, join(folder, SOURCE));
  return folder;
}

async function hashInRecord(folder: string): Promise<unknown> {
  const files = (await recordIn(folder))?.results.files as { readonly name: string; readonly sha256: string }[];
  return files.find(({ name }) => name === SOURCE)?.sha256;
}

/** Turns the lowest bit of a number near the end of a file. @returns how many */
function turnLastBit(path: string): number {
  const bytes = readFileSync(path);
  bytes[bytes.length - 64] ^= 1;
  writeFileSync(path, bytes);
  return 1;
}

function between(value: number, least: number, most: number): void {
  assert.ok(value > least && value < most, `${least} < ${value} < ${most}`);
}

const share = (reads: Reads, name: string, file: string): number => (reads.get(name) ?? 0) / statSync(file).size;

describe('reads of an export and its comparison', () => {
  for (const type of ['f16', 'q4_0', 'q8_0', 'q4_k_m'] as const) {
    it(`reads a GGUF file in ${type} twice to compare it, and its source once more, to write it`, async () => {
      const out = join(temporaryFolder(), 'written.gguf');
      const spec = { kind: 'export', checkpoint: SAMPLE, format: 'gguf', type: [type], out } as const;
      const exporting = await readsOf(() => runSpec(spec, CONTEXT));
      // The comparison reads it under its temporary name, or by the one that links resolve to.
      const written = [...exporting]
        .filter(([name]) => name.includes('written.gguf'))
        .reduce((sum, [, bytes]) => sum + bytes, 0);
      between(written, COUNTED_TWICE * statSync(out).size, 2 * statSync(out).size + HEADERS);
      between(share(exporting, SOURCE, join(SAMPLE, SOURCE)), COUNTED_THRICE, THRICE + ENDS);
      const verifying = await readsOf(() => runSpec({ kind: 'verify', output: out, against: SAMPLE }, CONTEXT));
      const again = verifying.get('written.gguf') ?? 0;
      between(again, COUNTED_TWICE * statSync(out).size, 2 * statSync(out).size + HEADERS);
      between(share(verifying, SOURCE, join(SAMPLE, SOURCE)), COUNTED_TWICE, TWICE);
    });
  }

  for (const type of [undefined, 'f32', 'f16'] as const) {
    it(`reads safetensors in ${type ?? 'the type of its source'} twice, with the hash that its record has`, async () => {
      const out = join(temporaryFolder(), 'written');
      const spec = { kind: 'export', checkpoint: copied(), format: 'safetensors', out } as const;
      const exporting = await readsOf(() => runSpec({ ...spec, ...(type && { type: [type] }) }, CONTEXT));
      between(share(exporting, COPY, join(SAMPLE, SOURCE)), COUNTED_THRICE, THRICE);
      between(share(exporting, SOURCE, join(out, SOURCE)), COUNTED_TWICE, TWICE);
      assert.equal(await hashInRecord(out), await hashFile(join(out, SOURCE)), 'the hash is that of the file');
      const verifying = await readsOf(() => runSpec({ kind: 'verify', output: out, against: SAMPLE }, CONTEXT));
      // Both files have one name.
      const most = 2 * (statSync(join(SAMPLE, SOURCE)).size + statSync(join(out, SOURCE)).size);
      between(verifying.get(SOURCE) ?? 0, 0.95 * most, (TWICE / 2) * most);
    });
  }

  for (const type of ['fp32', 'q4'] as const) {
    it(`reads ONNX in ${type} once for the hash beside its session, and the source twice`, async () => {
      const out = join(temporaryFolder(), 'written');
      const spec = { kind: 'export', checkpoint: SAMPLE, format: 'onnx', type: [type], out } as const;
      const exporting = await readsOf(() => runSpec(spec, CONTEXT));
      between(share(exporting, SOURCE, join(SAMPLE, SOURCE)), COUNTED_TWICE, TWICE);
      const verifying = await readsOf(() => runSpec({ kind: 'verify', output: out, against: SAMPLE }, CONTEXT));
      between(share(verifying, SOURCE, join(SAMPLE, SOURCE)), COUNTED_ONCE, 1.05);
      for (const name of readdirSync(join(out, 'onnx'))) {
        for (const reads of [exporting, verifying]) {
          // onnxruntime reads it for its session, which is not counted.
          const most = name.endsWith('.onnx') ? 2.2 : 1.05; // the graph is opened again when it is checked
          between(share(reads, name, join(out, 'onnx', name)), COUNTED_ONCE, most);
        }
      }
    });
  }

  for (const format of ['safetensors', 'gguf'] as const) {
    it(`notices a bit of a ${format} output that turned after it was written and before it was compared`, async () => {
      const folder = temporaryFolder();
      const out = join(folder, format === 'gguf' ? 'written.gguf' : 'written');
      const spec = { kind: 'export', checkpoint: SAMPLE, format, out } as const;
      let turned = 0;
      const onProgress = ({ label }: Progress): void => {
        if (!label.startsWith('comparing weights') || turned > 0) return;
        const [name] = readdirSync(folder).filter((each) => each.endsWith('partial') || each.startsWith('.'));
        const staged = resolve(folder, name, basename(out));
        turned += turnLastBit(format === 'gguf' ? staged : join(staged, SOURCE));
      };
      await assert.rejects(runSpec(spec, { ...CONTEXT, job: { onProgress } }), (error: UserError) =>
        error.message.includes('is not the model'),
      );
      assert.equal(turned, 1);
      assert.deepEqual(readdirSync(folder), [], 'nothing is left');
    });
  }
});
