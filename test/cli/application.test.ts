/**
 * From the published file to the application, as a user does it: a model is scored, loses a block, is healed, and is written in
 * each format; and the programs that run these formats continue a prompt with the tokens of the model that was looked at.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { buildCli, coppice } from '../support/built-cli';
import { continued, genaiPython, itWith, llamaCpp, nodePackages, torchPython } from '../support/consumers';
import { describeShared, full, shared, smollm2Folder, smollm2Gguf } from '../support/shared';
import { temporaryFolder } from '../support/temporary';

interface Source {
  readonly title: string;
  readonly path: () => string;
  readonly text: string;
  readonly ids: readonly number[];
  /** Blocks that may go are few in a model of five. */
  readonly keep: readonly string[];
  readonly tokens: number;
}

const stories = {
  text: 'data/stories/val.txt',
  ids: [1, 403, 407, 261, 378],
  keep: ['--no-keep-ends'],
  tokens: 1024,
};
const smollm2 = { text: 'data/prose/sherlock.txt', ids: [504, 3575, 282, 4649, 314], keep: [], tokens: 2048 };
const SOURCES: readonly Source[] = [
  { title: 'stories260K in Q4_1', path: () => shared('models/stories260K-gguf/stories260K-q4_1.gguf'), ...stories },
  { title: 'stories260K in safetensors', path: () => shared('models/stories260K-f32'), ...stories },
  ...(full
    ? [
        { title: 'SmolLM2 in Q4_1', path: smollm2Gguf, ...smollm2 },
        { title: 'SmolLM2 in safetensors', path: smollm2Folder, ...smollm2 },
      ]
    : []),
];
const COUNT = 16;

describeShared('command line: from a published file to the application', function () {
  this.timeout('10m');
  before(() => buildCli());

  for (const { title, path, text, ids, keep, tokens } of SOURCES) {
    describe(title, () => {
      let at: (name: string) => string;
      let expected: readonly number[];
      let pruned: readonly string[];

      before(async () => {
        const folder = temporaryFolder();
        at = (name) => join(folder, name);
        const [source, words] = [path(), shared(text)];
        const ran = async <T>(...args: string[]): Promise<T> => {
          const { code, stdout, stderr } = await coppice([...args, '--json', '--device', 'cpu']);
          assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
          return JSON.parse(stdout) as T;
        };
        const rows = ['--calibration', words, '--samples', '4', '--length', '64'];
        const { removed } = await ran<{ removed: number[] }>(
          ...['prune', source, '--criterion', 'ppl', ...rows, '--count', '1', ...keep, '--out', at('pruned')],
        );
        await ran(
          'heal',
          source,
          '--remove',
          removed.join(),
          '--calibration',
          words,
          '--tokens',
          String(tokens),
          '--patch',
          at('h.patch.safetensors'),
        );
        pruned = ['--heal', at('h.patch.safetensors')];
        const written = await ran<{ ids: number[] }>(
          ...['generate', source, ...pruned, '--ids', ids.join(), '--max-new-tokens', String(COUNT), '--ignore-eos'],
        );
        expected = written.ids;
        for (const [format, type, name] of [
          ['safetensors', 'f32', 'checkpoint'],
          ['gguf', 'f32', 'model.gguf'],
          ['onnx', 'fp32', 'folder'],
        ]) {
          const { verified } = await ran<{ verified: { passed: boolean; maxDifference: number } }>(
            ...['export', source, ...pruned, '--format', format, '--type', type, '--out', at(name)],
          );
          assert.ok(verified.passed && verified.maxDifference < 1e-3, `${format}: ${JSON.stringify(verified)}`);
        }
      });

      /** Programs stop at the end of a text. */
      const same = (found: readonly number[]): void => {
        assert.ok(found.length > 4, String(found.length));
        assert.deepEqual(found, expected.slice(0, found.length));
      };
      for (const name of ['checkpoint', 'model.gguf']) {
        it(`Coppice, from ${name}`, async () => {
          const prompt = ['--ids', ids.join(), '--max-new-tokens', String(COUNT), '--ignore-eos', '--json'];
          const { stdout } = await coppice(['generate', at(name), ...prompt, '--device', 'cpu']);
          assert.deepEqual((JSON.parse(stdout) as { ids: number[] }).ids, expected);
        });
      }
      itWith(llamaCpp, 'llama.cpp', () => same(continued('llamacpp.mjs', at('model.gguf'), ids, COUNT).ids));
      itWith(nodePackages, 'transformers.js', () =>
        same(continued('transformersjs.mjs', at('folder'), ids, COUNT, 'fp32').ids),
      );
      itWith(genaiPython, 'onnxruntime-genai', () => same(continued('genai.py', at('folder'), ids, COUNT).ids));
      itWith(torchPython, 'transformers', () => {
        const found = spawnSync(torchPython!, ['-c', IN_TRANSFORMERS, at('checkpoint'), ids.join(), String(COUNT)], {
          encoding: 'utf8',
          env: { ...process.env, OMP_NUM_THREADS: '1', HF_HUB_OFFLINE: '1' },
        });
        assert.equal(found.status, 0, found.stderr);
        same(JSON.parse(found.stdout.trim().split('\n').at(-1)!) as number[]);
      });
    });
  }
});

const IN_TRANSFORMERS = `
import json, sys, torch
from transformers import AutoModelForCausalLM
model = AutoModelForCausalLM.from_pretrained(sys.argv[1])
ids = [int(i) for i in sys.argv[2].split(',')]
found = model.generate(torch.tensor([ids]), max_new_tokens=int(sys.argv[3]), do_sample=False)
print(json.dumps(found[0, len(ids):].tolist()))
`;
