/** What lies beside a GGUF file: a Modelfile and commands, from the file alone. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type GgufField, layOutGguf } from '../../../../src/engine/formats/gguf/layout';
import { ggufFacts, llamaCppCommands, modelfileText } from '../../../../src/engine/write/gguf/beside';
import { temporaryFolder } from '../../../support/temporary';

const FIELDS: readonly GgufField[] = [
  ['general.architecture', { type: 'string', value: 'llama' }],
  ['llama.context_length', { type: 'u32', value: 131_072 }],
  [
    'tokenizer.ggml.tokens',
    { type: 'array', of: 'string', values: ['a', ...Array<string>(40).fill('b'), '<|"end"|>'] },
  ],
  ['tokenizer.ggml.token_type', { type: 'array', of: 'i32', values: [...Array<number>(41).fill(1), 3] }],
  ['tokenizer.ggml.eos_token_id', { type: 'u32', value: 41 }],
  ['tokenizer.ggml.eot_token_id', { type: 'u32', value: 0 }],
];

function file(name: string, ...more: GgufField[]): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, layOutGguf([...FIELDS, ...more], []).header);
  return path;
}

describe('gguf/beside', () => {
  it('a model with a chat template is talked to', async () => {
    const facts = await ggufFacts(
      file('Small Model.gguf', ['tokenizer.chat_template', { type: 'string', value: '{{}}' }]),
    );
    assert.deepEqual(facts, { name: 'Small Model.gguf', context: 131_072, chats: true, stops: ['<|"end"|>'] });
    assert.equal(
      modelfileText(facts),
      [
        `# ollama create small-model -f 'Small Model.gguf.Modelfile'`,
        '# ollama run small-model',
        'FROM ./Small Model.gguf',
        'PARAMETER num_ctx 8192',
        String.raw`PARAMETER stop "<|\"end\"|>"`,
        '',
      ].join('\n'),
    );
    assert.deepEqual(llamaCppCommands(facts), [
      `llama-cli -m 'Small Model.gguf' -c 8192`,
      `llama-server -m 'Small Model.gguf' -c 8192`,
    ]);
  });

  it('a model without one continues texts, as long as it was made for', async () => {
    const facts = { ...(await ggufFacts(file('m.gguf'))), context: 512 };
    assert.match(
      modelfileText(facts, 'Modelfile'),
      /-f Modelfile\n.*\nFROM \.\/m\.gguf\nTEMPLATE "\{\{ \.Prompt \}\}"\nPARAMETER num_ctx 512\n/s,
    );
    assert.match(llamaCppCommands(facts)[0], /^llama-completion -m m\.gguf -c 512 -no-cnv .*'Once upon a time'$/);
  });

  it('refuses a name that would be a second line', async () => {
    const facts = { ...(await ggufFacts(file('m.gguf'))), name: 'a\nSYSTEM evil.gguf' };
    assert.throws(() => modelfileText(facts), /line break/);
    assert.throws(() => llamaCppCommands(facts), /line break/);
  });
});
