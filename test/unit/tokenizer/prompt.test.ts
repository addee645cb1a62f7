/** What a model is asked to continue: system messages and earlier turns, through the template or as one text. */
import assert from 'node:assert/strict';
import type { ChatMessage } from '../../../src/engine/tokenizer/chat';
import { encodePrompt } from '../../../src/engine/tokenizer/prompt';
import { loadTokenizer, type Tokenizer } from '../../../src/engine/tokenizer/tokenizer';
import { describeShared, shared } from '../../support/shared';
import golden from './conversations.json' with { type: 'json' };
import { folderWith, sentencePieceToy } from './toy';

const withTemplate = (template?: string): Promise<Tokenizer> =>
  loadTokenizer(
    folderWith({
      'tokenizer.json': sentencePieceToy(),
      ...(template !== undefined && { 'chat_template.jinja': template }),
    }),
  );
const TURNS = "{% for m in messages %}{{ m.role + ':' + m.content }} {% endfor %}";
/** Knows users and assistants, and leaves out the rest. */
const DROPPING = "{% for m in messages %}{% if m.role != 'system' %}{{ m.content }} {% endif %}{% endfor %}";
const REFUSING = `{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}${TURNS}`;
const BROKEN = "{{ raise_exception('no more') }}";

const earlier: readonly ChatMessage[] = [
  { role: 'user', content: 'the a' },
  { role: 'assistant', content: 'and' },
];

describe('tokenizer/prompt', () => {
  it('gives the template the system message, earlier turns and the prompt, in this order', async () => {
    const tokenizer = await withTemplate(TURNS);
    const ids = await encodePrompt(tokenizer, 'here', { chat: true, system: 'the', earlier });
    assert.equal(
      await tokenizer.decode(ids, { skipSpecialTokens: false }),
      'system:the user:the a assistant:and user:here ',
    );
  });

  it('continues one text where no template is asked for', async () => {
    const tokenizer = await withTemplate();
    const ids = await encodePrompt(tokenizer, ' here', { earlier });
    assert.deepEqual(ids, await tokenizer.encode('the aand here', { addSpecialTokens: true }));
  });

  it('refuses a system message that the template leaves out or does not allow, and says what to do', async () => {
    const asked = { chat: true, system: 'the' };
    const what = 'The chat template has no place for a system message';
    const action = /Leave .*system.* out, or put its text at the beginning of .*prompt/;
    const dropping = await withTemplate(DROPPING);
    await assert.rejects(encodePrompt(dropping, 'a', asked), { name: 'UserError', what, why: /leaves .* out/, action });
    const refusing = await withTemplate(REFUSING);
    await assert.rejects(encodePrompt(refusing, 'a', asked), { what, why: /System role not supported/, action });
    for (const tokenizer of [dropping, refusing]) await encodePrompt(tokenizer, 'a', { chat: true });
  });

  it('does not blame the system message for a template that always fails, or for none', async () => {
    const asked = { chat: true, system: 'the' };
    await assert.rejects(encodePrompt(await withTemplate(BROKEN), 'a', asked), {
      what: /^Cannot apply/,
      why: /no more/,
    });
    await assert.rejects(encodePrompt(await withTemplate(), 'a', asked), { why: /no chat template/ });
  });
});

describeShared('tokenizer/prompt: SmolLM2', () => {
  it('has the ids of transformers for conversations', async () => {
    const tokenizer = await loadTokenizer(shared('models/smollm2-135m'));
    for (const { prompt, system, earlier: turns, ids } of golden.cases) {
      assert.deepEqual(await encodePrompt(tokenizer, prompt, { chat: true, system, earlier: turns }), ids, prompt);
    }
  });
});
