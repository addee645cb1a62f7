/** Bits per byte of an evaluation, beside a computation in float64 that shares no code with the engine. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { loadLocalTokenizer } from '../../../src/engine/tokenizer/local';
import { BOS_MODES } from '../../../src/format/bos';
import { runJob } from '../../../src/jobs/run-job';
import { loadReference } from '../../reference/forward';
import { referenceTokenNlls } from '../../reference/measures';
import { assertClose } from '../../support/close';
import { readJson } from '../../support/cli';
import { cutOptions } from '../../support/parts';
import { itShared, shared } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';

const SAMPLE = resolve(import.meta.dirname, '../../../media/sample');
const [WINDOW, WINDOWS] = [24, 3];

async function assertReference(checkpoint: string): Promise<void> {
  const config = readJson(join(checkpoint, 'config.json')) as { vocab_size: number; bos_token_id: number };
  const text = join(SAMPLE, 'evaluation.txt');
  const whole = readFileSync(text, 'utf8');
  const tokenizer = await loadLocalTokenizer(checkpoint);
  const encode = (part: string): number[] => tokenizer.encode(part, { addSpecialTokens: false });
  const ids = encode(whole.slice(0, 1000));
  const model = loadReference(checkpoint);
  for (const bos of BOS_MODES) {
    const inWindows = WINDOW * WINDOWS - (bos === 'stream' ? 1 : 0);
    const stream = [...(bos === 'stream' ? [config.bos_token_id] : []), ...ids.slice(0, inWindows)];
    const losses = Array.from({ length: WINDOWS }, (_, w) => [
      ...(bos === 'window' ? [config.bos_token_id] : []),
      ...stream.slice(w * WINDOW, (w + 1) * WINDOW),
    ]).flatMap((row) => referenceTokenNlls(model, row));
    // The start of the text that has these tokens.
    let characters = 0;
    while (encode(whole.slice(0, characters)).join() !== ids.slice(0, inWindows).join()) characters += 1;
    const bytes = Buffer.byteLength(whole.slice(0, characters));
    const meanBits = losses.reduce((sum, loss) => sum + Math.log2(Math.exp(loss)), 0) / losses.length;
    const given = { checkpoint, text, window: WINDOW, limit: WINDOWS, bos };
    const { result } = await runJob('eval', cutOptions('eval', given), { job: {}, hooks: {}, emit: () => undefined });
    assert.equal(result.vocabulary, config.vocab_size);
    assertClose(result.bitsPerByte!, (meanBits * inWindows) / bytes, { absolute: 1e-5 }, bos);
  }
}

describe('bits per byte of a text', function () {
  this.timeout(120_000);

  it('are those of the reference, however the windows begin', () => assertReference(SAMPLE));

  itShared('are those of the reference, with another vocabulary', () =>
    assertReference(shared('models/stories260K-f32')),
  );

  it('are there for rows drawn from a text, and not for rows of ids', async () => {
    const run = async (calibration: string) => {
      const given = { checkpoint: SAMPLE, calibration, samples: 2, length: 16 };
      return (await runJob('eval', cutOptions('eval', given), { job: {}, hooks: {}, emit: () => undefined })).result;
    };
    const { bitsPerByte } = await run(join(SAMPLE, 'calibration.txt'));
    assert.ok(bitsPerByte! > 0.5 && bitsPerByte! < 4, String(bitsPerByte));
    const rows = join(temporaryFolder(), 'rows.json');
    writeFileSync(rows, JSON.stringify({ rows: [Array.from({ length: 16 }, (_, i) => i + 5)] }));
    const ofIds = await run(rows);
    assert.ok(!('bitsPerByte' in ofIds) && ofIds.vocabulary === 2048);
  });
});
