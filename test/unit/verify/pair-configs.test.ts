/** Folders of pairs that programs may not open: their settings could name libraries, code or other weights. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { genaiConfigIn } from '../../../src/engine/verify/consumers/genai-config';
import { runPairIn } from '../../../src/engine/verify/consumers/pairs';
import { strangeInFolder } from '../../../src/engine/verify/consumers/transformers-config';
import { temporaryFolder } from '../../support/temporary';

const session = (): object => ({ log_id: 'onnxruntime-genai', provider_options: [] });
const decoder = (filename: string, more: object = {}): object => ({ session_options: session(), filename, ...more });

function genaiFolder(model: object, more: object): string {
  const folder = temporaryFolder();
  const config = { model: { type: 'llama', decoder: decoder('onnx/model.onnx'), ...model }, search: {}, ...more };
  writeFileSync(join(folder, 'genai_config.json'), `${JSON.stringify(config, null, 2)}\n`);
  return folder;
}

const DRAFT = { draft: decoder('draft/model_q4.onnx') };
const LENGTH = { speculative: { max_draft_tokens: 4 } };

describe('verify/consumers: settings of pairs', () => {
  it('are taken as Coppice writes them', async () => {
    assert.equal(await genaiConfigIn(genaiFolder(DRAFT, LENGTH)), 'ours');
    assert.equal(await genaiConfigIn(genaiFolder({}, {})), 'ours', 'a model without a draft');
  });

  const strange: readonly (readonly [name: string, model: object, more: object])[] = [
    [
      'a library',
      { draft: decoder('draft/model.onnx', { session_options: { ...session(), custom_ops_library: 'x.so' } }) },
      LENGTH,
    ],
    [
      'a provider',
      { draft: decoder('draft/model.onnx', { session_options: { log_id: '', provider_options: [{}] } }) },
      LENGTH,
    ],
    ['a setting of the draft', { draft: decoder('draft/model.onnx', { run_options: {} }) }, LENGTH],
    ['a file elsewhere', { draft: decoder('../model.onnx') }, LENGTH],
    ['a file deeper', { draft: decoder('draft/../../model.onnx') }, LENGTH],
    ['an absolute file', { draft: decoder('/model.onnx') }, LENGTH],
    ['no length', DRAFT, {}],
    ['a long draft', DRAFT, { speculative: { max_draft_tokens: 1e9 } }],
    ['another setting of drafting', DRAFT, { speculative: { max_draft_tokens: 4, library: 'x.so' } }],
    ['a length without a draft', {}, LENGTH],
    ['another session', { ...DRAFT, encoder: decoder('draft/model.onnx') }, LENGTH],
  ];
  for (const [name, model, more] of strange) {
    it(`are not: ${name}`, async () => {
      assert.equal(await genaiConfigIn(genaiFolder(model, more)), 'strange');
    });
  }

  const config = (value: unknown): string => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'config.json'), JSON.stringify(value));
    return folder;
  };

  it('of transformers are looked at, parts of them too', async () => {
    assert.equal(await strangeInFolder(config({ model_type: 'llama', quantization_config: null })), undefined);
    assert.equal(await strangeInFolder(config({ auto_map: {} })), 'auto_map of config.json');
    assert.equal(
      await strangeInFolder(config({ text_config: { quantization_config: {} } })),
      'quantization_config of config.json',
    );
    assert.equal(await strangeInFolder(config({ _attn_implementation: 'a/b' })), '_attn_implementation of config.json');
    assert.equal(await strangeInFolder(config([])), 'config.json');
    assert.equal(await strangeInFolder(temporaryFolder()), 'config.json');
    const adapter = config({ model_type: 'llama' });
    writeFileSync(join(adapter, 'adapter_config.json'), '{}');
    assert.equal(await strangeInFolder(adapter), 'adapter_config.json');
  });

  it('that are strange keep the program from starting', async () => {
    const folder = genaiFolder({ draft: decoder('../model.onnx') }, LENGTH);
    const texts = [{ prompt: [1], ids: [2] }];
    const ran = await runPairIn('genai', folder, { texts, length: 4, threshold: 0 }, {}, {});
    // Without any Python there is nothing to start either.
    assert.ok(
      ran === undefined || ('failure' in ran && ran.failure.includes('settings of sessions')),
      JSON.stringify(ran),
    );
  });
});
