/** Chat templates: where they are found, what they see, and how a faulty one is reported. */
import assert from 'node:assert/strict';
import { loadLocalTokenizer } from '../../../src/engine/tokenizer/local';
import { describeShared, shared } from '../../support/shared';
import { folderWith, sentencePieceToy } from './toy';

const TEMPLATE =
  '{% for message in messages %}\n{{ bos_token }}{{ message.role }}:{{ message.content }}{{ eos_token }}\n{% endfor %}' +
  '{% if add_generation_prompt %}>{% endif %}';
const settings = (chat_template: unknown): Record<string, unknown> => ({
  chat_template,
  bos_token: { content: '<s>' },
  eos_token: '</s>',
});
const messages = [
  { role: 'user', content: 'hi' },
  { role: 'assistant', content: 'yo' },
];

async function chat(files: Record<string, unknown>, addGenerationPrompt = false): Promise<string> {
  const tokenizer = await loadLocalTokenizer(folderWith({ 'tokenizer.json': sentencePieceToy(), ...files }));
  return tokenizer.chat(messages, { addGenerationPrompt });
}

describe('tokenizer/chat', () => {
  const expected = '<s>user:hi</s>\n<s>assistant:yo</s>\n';

  it('reads the template from the settings, a .jinja or a .json file', async () => {
    assert.equal(await chat({ 'tokenizer_config.json': settings(TEMPLATE) }), expected);
    assert.equal(await chat({ 'tokenizer_config.json': settings(TEMPLATE) }, true), `${expected}>`);
    const named = [
      { name: 'tools', template: 'no' },
      { name: 'default', template: TEMPLATE },
    ];
    assert.equal(await chat({ 'tokenizer_config.json': settings(named) }), expected);
    assert.equal(await chat({ 'tokenizer_config.json': settings('no'), 'chat_template.jinja': TEMPLATE }), expected);
    const file = { chat_template: TEMPLATE };
    assert.equal(await chat({ 'tokenizer_config.json': settings('no'), 'chat_template.json': file }), expected);
  });

  it('gives no tools and no documents, as transformers does', async () => {
    const template = '{% if tools is none %}T{% endif %}{% if documents is not none %}D{% endif %}{{ x is defined }}';
    assert.equal(await chat({ 'chat_template.jinja': template }), 'Tfalse');
  });

  it("renders what the families' templates use as transformers does", async () => {
    // Gemma: another name for a role, and no system role.
    const gemma =
      "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}" +
      "{% for m in messages %}{% set role = 'model' if m['role'] == 'assistant' else m['role'] %}" +
      "{{ '<' + role + '>\n' + m['content'] | trim + '\n' }}{% endfor %}";
    const files = { 'tokenizer_config.json': settings(gemma) };
    assert.equal(await chat(files), '<s><user>\nhi\n<model>\nyo\n');
    // SmolLM3: a mode unless it is given, a date, methods of strings, and marks for training.
    const smollm3 =
      '{%- if think is not defined -%}{%- set think = true -%}{%- endif -%}' +
      '{{- "Today: " ~ strftime_now("%d %B %Y") ~ "\n" -}}{%- for m in messages -%}{%- if m.role == "user" -%}' +
      '{{ m.content.replace("h", "H").rstrip() + "\n" }}{%- else -%}{% generation %}' +
      '{%- if think -%}{{ m.content.lstrip("\\n") }}{%- endif -%}{% endgeneration %}{%- endif -%}{%- endfor -%}';
    assert.match(await chat({ 'chat_template.jinja': smollm3 }), /^Today: \d\d [A-Z][a-z]+ \d{4}\nHi\nyo$/);
  });

  it('says when there is none, or it fails', async () => {
    await assert.rejects(chat({}), { name: 'UserError', why: /no chat template/ });
    await assert.rejects(chat({ 'chat_template.jinja': '{% if %}' }), { name: 'UserError', what: /chat template of/ });
    const refusing = "{{ raise_exception('roles must alternate') }}";
    await assert.rejects(chat({ 'chat_template.jinja': refusing }), { name: 'UserError', why: /roles must alternate/ });
  });
});

describeShared('tokenizer/chat: SmolLM2', () => {
  it('writes the conversation as ChatML', async () => {
    const tokenizer = await loadLocalTokenizer(shared('models/smollm2-135m'));
    assert.ok(tokenizer.hasChatTemplate);
    const text = tokenizer.chat([{ role: 'user', content: 'Hi' }], { addGenerationPrompt: true });
    assert.ok(text.endsWith('<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n'), text);
    const marks = tokenizer.encode('<|im_start|><|im_end|>', { addSpecialTokens: false });
    assert.deepEqual(marks, [1, 2]);
  });
});
