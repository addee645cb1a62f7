/** `coppice retrain` of a plan: the healing before a training, and the adapter that takes its weights along. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Json, makeCliMaterial, run } from '../support/cli';
import { coppice, jsonOf } from '../support/built-cli';
import { assertClose } from '../support/close';
import { temporaryFolder } from '../support/temporary';
import { tinyCheckpoint } from '../support/tiny-models';

const HEALED = 'healed.patch.safetensors';

describe('command line: retraining heals first', function () {
  this.timeout(180_000);
  let model: string;
  let text: string;
  let cache: string;
  /** Own text of 80 rows with 16 tokens: healing fits those that the training does not hold out. */
  const own = ['--data', 'self', '--self-tokens', '1280', '--length', '16'];
  const training = [...own, '--batch', '2', '--steps', '3', '--lr', '0.02', '--remove', '1'];

  before(() => {
    ({ text } = makeCliMaterial());
    model = tinyCheckpoint('llama-plain', { tokenizer: true });
    cache = temporaryFolder();
  });

  const newPlace = (): string => join(temporaryFolder(), 'out');
  const retrained = async (...more: string[]): Promise<Json> =>
    jsonOf(await coppice(['retrain', model, ...training, ...more, '--json'], { env: { COPPICE_CACHE: cache } }));
  const loss = async (...on: string[]): Promise<number> =>
    (await run('eval', ...on, '--window', '32', '--limit', '4', '--text', text)).meanNll as number;

  it('heals, trains on that, and the adapter is complete with the healed weights in its folder', async () => {
    const out = newPlace();
    const { healing, kind, removed } = (await retrained('--held-out', '0', '--heal', 'first', '--out', out)) as {
      healing: { weights: string; rows: number; seconds: number };
      kind: string;
      removed: unknown;
    };
    assert.deepEqual([kind, removed, healing.weights], ['adapter', [1], 'healed']);
    assert.ok(existsSync(join(out, HEALED)));
    assert.deepEqual(
      readdirSync(join(out, '..')).filter((name) => name !== 'out'),
      [],
      'nothing is left of the training',
    );
    // The weights of its folder are those that a file of healed weights would be.
    const patch = join(temporaryFolder(), 'other.safetensors');
    cpSync(join(out, HEALED), patch);
    const alone = join(temporaryFolder(), 'alone');
    cpSync(out, alone, { recursive: true });
    rmSync(join(alone, HEALED));
    const found = await loss(model, '--adapter', out);
    assert.equal(found, await loss(model, '--heal', patch, '--adapter', alone));
    const merged = newPlace();
    await run('merge', model, '--adapter', out, '--out', merged);
    assertClose(await loss(merged), found, { absolute: 1e-5 }, 'merged');
    assert.notEqual(found, await loss(model, '--heal', patch));
  });

  it('fits no row that the training holds out, and writes the text once', async () => {
    const { healing, data } = (await retrained(
      '--held-out',
      '8',
      '--heal',
      'first',
      '--merge',
      '--out',
      newPlace(),
    )) as {
      healing: { text: { rows: number; length: number } };
      data: { train: { examples: number }; heldOut: { examples: number } };
    };
    assert.deepEqual([data.train.examples, data.heldOut.examples], [72, 8]);
    assert.equal(healing.text.length, 16);
    assert.ok(healing.text.rows <= 72, String(healing.text.rows));
    assert.ok(healing.text.rows > 60, String(healing.text.rows));
  });

  it('is done where a plan is trained and nothing is said, and not where that is declined', async () => {
    const unasked = await retrained('--held-out', '0', '--merge', '--out', newPlace());
    const declined = await retrained('--held-out', '0', '--heal', 'none', '--merge', '--out', newPlace());
    assert.equal((unasked.healing as { weights: string }).weights, 'healed');
    assert.equal(declined.healing, undefined);
  });

  it('of nothing that is left out is refused', async () => {
    const { code, stderr } = await coppice(['retrain', model, '--heal', 'first', '--data', text, '--out', newPlace()]);
    assert.equal(code, 2);
    assert.match(stderr, /--heal first needs --remove/);
  });

  it('of an output that cannot be is refused before it heals', async () => {
    const { code, stderr } = await coppice([
      'retrain',
      model,
      ...training,
      '--heal',
      'first',
      '--out',
      temporaryFolder(),
    ]);
    assert.equal(code, 1);
    assert.match(stderr, /exists already/);
  });
});
