/** Which models are taken for ones that answer. The settings are those of published models. */
import assert from 'node:assert/strict';
import { chatKindOf } from '../../../src/engine/tokenizer/instruct';
import { describeShared, shared } from '../../support/shared';
import { folderWith } from './toy';

const CHATML = "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>' }}{% endfor %}";
const ANSWERS = { template: true, instruct: true };
const CONTINUES = { template: true, instruct: false };

const kindOf = (settings: Record<string, unknown>, name = 'model', ids?: readonly number[]) =>
  chatKindOf(folderWith({ 'tokenizer_config.json': settings }), name, ids);

describe('tokenizer/instruct', () => {
  it('takes a model for one that answers if it ends a text as its template ends an answer', async () => {
    // Qwen2.5-0.5B and its Instruct have the same template and differ in the end of a text.
    assert.deepEqual(await kindOf({ chat_template: CHATML, eos_token: '<|endoftext|>' }), CONTINUES);
    assert.deepEqual(await kindOf({ chat_template: CHATML, eos_token: { content: '<|im_end|>' } }), ANSWERS);
    // Mistral names the variable.
    assert.deepEqual(await kindOf({ chat_template: '{{ m.content + eos_token }}', eos_token: '</s>' }), ANSWERS);
    // Gemma 2 and Phi-3 have further end tokens in their configs.
    const added = { 1: { content: '<eos>' }, 107: { content: '<end_of_turn>' } };
    const gemma = { chat_template: '{{ m.content }}<end_of_turn>', eos_token: '<eos>', added_tokens_decoder: added };
    assert.deepEqual(await kindOf(gemma, 'model', [1]), CONTINUES);
    assert.deepEqual(await kindOf(gemma, 'model', [1, 107]), ANSWERS);
  });

  it('goes by the name where the files do not tell', async () => {
    const settings = { chat_template: CHATML, eos_token: '</s>' };
    for (const name of ['SmolLM2-135M-Instruct', 'google/gemma-2b-it', 'tiny.chat.v2', 'Instruct_8-blocks'])
      assert.deepEqual(await kindOf(settings, name), ANSWERS, name);
    for (const name of ['SmolLM2-135M', 'bitnet', 'chatty', 'hit5-small'])
      assert.deepEqual(await kindOf(settings, name), CONTINUES, name);
  });

  it('needs a template, and files that can be read', async () => {
    const none = { template: false, instruct: false };
    assert.deepEqual(await kindOf({ eos_token: '<|im_end|>' }, 'x-instruct'), none);
    assert.deepEqual(await chatKindOf('/nowhere', 'x-instruct'), none);
  });
});

describeShared('tokenizer/instruct: SmolLM2', () => {
  it('finds SmolLM2-135M-Instruct, whatever its folder is called', async () => {
    assert.deepEqual(await chatKindOf(shared('models/smollm2-135m'), 'smollm2-135m', [2]), ANSWERS);
  });
});
