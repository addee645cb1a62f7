/** The prompt template of Foundry Local, from chat templates of several families. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promptTemplateIn } from '../../../src/places/prompt-template';
import { temporaryFolder } from '../../support/temporary';

function folderWith(template: string | undefined, bos: string): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify({ bos_token: bos }));
  if (template !== undefined) writeFileSync(join(folder, 'chat_template.jinja'), template);
  return folder;
}

const CHATML =
  "{% for m in messages %}{% if loop.first and m.role != 'system' %}<|im_start|>system\nBe kind<|im_end|>\n{% endif %}" +
  '<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}';

const GEMMA =
  "{{ bos_token }}{% if messages[0].role == 'system' %}{% set first = messages[0].content + '\n\n' %}{% set rest = messages[1:] %}" +
  "{% else %}{% set first = '' %}{% set rest = messages %}{% endif %}{% for m in rest %}<start_of_turn>" +
  "{% if m.role == 'assistant' %}model{% else %}{{ m.role }}{% endif %}{{ '\n' }}{% if loop.first %}{{ first }}{% endif %}{{ m.content }}<end_of_turn>\n" +
  '{% endfor %}{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}';

describe('the prompt template of a folder', () => {
  it('has the texts around each message, and the default of the system', async () => {
    const { template, note } = await promptTemplateIn(folderWith(CHATML, '<|im_start|>'));
    assert.equal(note, undefined);
    assert.deepEqual(template, {
      system: '<|im_start|>system\n{Content}<|im_end|>\n',
      user: '<|im_start|>user\n{Content}<|im_end|>\n',
      assistant: '<|im_start|>assistant\n{Content}<|im_end|>\n',
      prompt: '<|im_start|>system\nBe kind<|im_end|>\n<|im_start|>user\n{Content}<|im_end|>\n<|im_start|>assistant\n',
    });
  });

  it('leaves out the token that the tokenizer adds, and a system that has no text of its own', async () => {
    const { template, note } = await promptTemplateIn(folderWith(GEMMA, '<bos>'));
    assert.match(note!, /role “system”/);
    assert.deepEqual(template, {
      user: '<start_of_turn>user\n{Content}<end_of_turn>\n',
      assistant: '<start_of_turn>model\n{Content}<end_of_turn>\n',
      prompt: '<start_of_turn>user\n{Content}<end_of_turn>\n<start_of_turn>model\n',
    });
  });

  it('is none where the chat template does more, refuses, or is not there, and says so', async () => {
    const only = "{% if messages|length > 1 %}{{ raise_exception('one message') }}{% endif %}{{ messages[0].content }}";
    const counts = '{{ messages|length }}: {% for m in messages %}{{ m.content }}{% endfor %}';
    for (const template of [only, counts]) {
      const found = await promptTemplateIn(folderWith(template, ''));
      assert.equal(found.template, null);
      assert.match(found.note!, /was left out/);
    }
    const none = await promptTemplateIn(folderWith(undefined, ''));
    assert.equal(none.template, null);
    assert.match(none.note!, /no chat template/);
  });
});
