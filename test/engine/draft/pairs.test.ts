/** Pairs are written for their programs, and write there what the model writes alone, in the passes that were forecast. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compareRun } from '../../../src/engine/draft/compare-run';
import { PAIR_NAME } from '../../../src/engine/draft/pair-file';
import type { Runtime } from '../../../src/engine/draft/runtimes';
import { measureCostsIn, runPairIn } from '../../../src/engine/verify/consumers/pairs';
import { type Pair, writePair } from '../../../src/jobs/runs/draft-pair';
import type { VerifyResult } from '../../../src/jobs/results/export';
import { genaiFolder, itWith, itWithFull, llamaCpp, printed, torchFolder } from '../../support/consumers';
import { runOn } from '../../support/jobs';
import { contextOf, goldenTexts } from '../../support/pairs';
import { describeShared, full, shared } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';

const folderModel = (): string => shared('models/stories260K-f32');
const gguf = (type: string): string => shared(`models/stories260K-gguf/stories260K-${type}.gguf`);

/** Without block 2, in float32. */
const depthPair = (runtime: Runtime, length = 4): Pair => ({
  runtime,
  target: { checkpoint: folderModel(), type: runtime === 'genai' ? 'f32' : 'stored' },
  draft: { checkpoint: folderModel(), remove: [2], type: 'f32' },
  length,
  threshold: 0,
  temperature: 0,
  texts: goldenTexts([2], null, length),
});

/** The file in float32 with that in 4 bits, in which llama.cpp rounds activations too: its draft proposes a few other tokens. */
const bitsPair = (runtime: Runtime): Pair => ({
  runtime,
  target: { checkpoint: gguf('f32'), type: 'stored' },
  draft: { checkpoint: gguf('q4_0'), type: 'stored' },
  length: 4,
  threshold: 0,
  temperature: 0,
  texts: goldenTexts([], 'q4_0', 4),
});

async function written(pair: Pair): Promise<{ folder: string; files: string[] }> {
  const folder = temporaryFolder();
  return { folder, files: await writePair(pair, folder, contextOf()) };
}

const verify = async (output: string, from?: string): Promise<VerifyResult> =>
  (await runOn('verify', { output, ...(from !== undefined && { consumers: true, consumersFrom: from }) })).result;

const LENGTHS: readonly (readonly [length: number, rounds: number])[] = [
  [1, 324],
  [2, 256],
  [4, 220],
  [8, 208],
];

/** Runs a written pair with each length, and compares the passes with the reference. */
async function assertRounds(runtime: Runtime, folder: string, from: string, lengths = LENGTHS): Promise<void> {
  for (const [length, rounds] of lengths) {
    const texts = goldenTexts([2], null, length);
    const ran = await runPairIn(runtime, folder, { texts, length, threshold: 0 }, { from }, {});
    assert.ok(ran && 'texts' in ran, JSON.stringify(ran));
    const result = compareRun(texts, ran.texts);
    assert.deepEqual(result, { texts: 8, textsEqual: 8, textsOther: 0, rounds, forecastRounds: rounds }, `${length}`);
  }
}

describeShared('jobs/draft: pairs', function () {
  this.timeout(180_000);

  it('of checkpoints are verified here: texts, passes and files', async () => {
    // A pair of GGUF files is verified below.
    for (const pair of [depthPair('transformers'), ...(full ? [depthPair('node-llama-cpp')] : [])]) {
      const { folder, files } = await written(pair);
      assert.ok(files.includes(PAIR_NAME) && files.includes('README.md'), files.join());
      const { verified, pair: ran } = await verify(folder);
      assert.ok(verified.passed, verified.why);
      const forecast = { rounds: 220, forecastRounds: 220 };
      assert.deepEqual(ran, { by: 'Coppice', texts: 8, textsEqual: 8, ...forecast });
    }
  });

  it('with a threshold take the passes of the reference', async () => {
    const texts = goldenTexts([2], null, 4, 0.6);
    const { folder } = await written({ ...depthPair('llama.cpp'), threshold: 0.6, texts });
    for (const from of full ? [undefined, llamaCpp] : [llamaCpp]) {
      const { pair: ran } = await verify(folder, from);
      assert.deepEqual([ran?.textsEqual, ran?.rounds, ran?.forecastRounds], [8, 345, 345], ran?.by);
    }
  });

  it('copy a GGUF file byte for byte that is already as it ships', async () => {
    const { folder } = await written(bitsPair('llama.cpp'));
    for (const [name, source] of [
      ['target.gguf', gguf('f32')],
      ['draft.gguf', gguf('q4_0')],
    ]) {
      assert.ok(readFileSync(join(folder, name)).equals(readFileSync(source)), name);
    }
    assert.match(readFileSync(join(folder, 'README.md'), 'utf8'), /llama-server .*--spec-draft-n-max 4\n/);
  });

  it('are compared with the model alone where their record has another text, and not opened where a file changed', async () => {
    const pair = depthPair('node-llama-cpp');
    const texts = pair.texts.map((text, i) => (i === 0 ? { ...text, ids: text.ids.map(() => 5) } : text));
    const { folder } = await written({ ...pair, texts });
    const { pair: ran, verified } = await verify(folder);
    assert.deepEqual(
      [verified.passed, ran?.textsOther, ran?.textsEqual],
      [true, 1, 8],
      'the model alone writes so too',
    );
    writeFileSync(join(folder, 'draft.gguf'), readFileSync(gguf('q4_0')));
    const changed = await verify(folder);
    assert.equal(changed.verified.passed, false);
    assert.match(changed.verified.why!, /^draft\.gguf changed/);
    assert.equal(changed.pair, null);
  });

  it('for onnxruntime-genai are one folder, of which only the files are looked at here', async () => {
    const { folder, files } = await written(depthPair('genai'));
    for (const name of ['genai_config.json', 'onnx/model.onnx', 'draft/model.onnx', 'draft/model.onnx_data']) {
      assert.ok(files.includes(name), name);
    }
    assert.ok(!existsSync(join(folder, 'coppice.json')));
    const { verified, pair } = await verify(folder);
    assert.deepEqual([verified.passed, pair], [true, null]);
  });

  it('for onnxruntime-genai never draft one token at once', async () => {
    const context = contextOf();
    const folder = temporaryFolder();
    await writePair(depthPair('genai', 1), folder, context);
    const config = JSON.parse(readFileSync(join(folder, 'genai_config.json'), 'utf8')) as Record<string, unknown>;
    assert.deepEqual(config.speculative, { max_draft_tokens: 2 });
    assert.match(context.notes.join(), /length of 2/);
  });

  itWith(genaiFolder, 'run in onnxruntime-genai in the passes that were forecast', async () => {
    const { folder } = await written(depthPair('genai'));
    await assertRounds('genai', folder, genaiFolder!, full ? LENGTHS : LENGTHS.slice(1, 2));
    const { verified, pair } = await verify(folder, genaiFolder);
    assert.ok(verified.passed, verified.why);
    assert.match(pair!.by, /^onnxruntime-genai \d/);
    assert.deepEqual([pair!.textsEqual, pair!.rounds, pair!.forecastRounds], [8, 220, 220]);
  });

  itWith(llamaCpp, 'run in llama.cpp in the passes that were forecast', async () => {
    const { folder } = await written(depthPair('node-llama-cpp'));
    if (full) await assertRounds('node-llama-cpp', folder, llamaCpp!, LENGTHS.slice(1, 2));
    const { pair } = await verify(folder, llamaCpp);
    assert.match(pair!.by, /^llama\.cpp/);
    assert.deepEqual([pair!.textsEqual, pair!.rounds], [8, 220]);
  });

  itWith(llamaCpp, 'have a program for node-llama-cpp, which continues a text', async () => {
    const { folder } = await written(depthPair('node-llama-cpp'));
    symlinkSync(join(llamaCpp!, 'node_modules'), join(folder, 'node_modules'), 'junction');
    const program = join(folder, 'speculate.mjs');
    // On a busy machine its threads wait for each other in a loop.
    writeFileSync(program, readFileSync(program, 'utf8').replace('getLlama()', 'getLlama({ maxThreads: 1 })'));
    const text = printed(process.execPath, [program, 'Once upon a time', '32']);
    assert.match(text, /^\s?Once upon a time, there was a little/);
  });

  itWithFull(llamaCpp, 'run in llama.cpp with a draft in 4 bits', async () => {
    const { folder } = await written(bitsPair('node-llama-cpp'));
    const { pair } = await verify(folder, llamaCpp);
    assert.equal(pair!.textsEqual, 8);
    assert.ok(Math.abs(pair!.rounds / pair!.forecastRounds - 1) < 0.03, `${pair!.rounds} of ${pair!.forecastRounds}`);
  });

  itWith(llamaCpp, 'tell what llama.cpp’s passes cost', async () => {
    const timed = {
      target: gguf('f32'),
      drafts: [gguf('q8_0'), gguf('q4_0')],
      rows: [1, 4],
      runs: 3,
      prompt: [1, 403, 407],
    };
    const costs = await measureCostsIn('node-llama-cpp', timed, { from: llamaCpp }, {});
    assert.ok(costs && 'target' in costs, JSON.stringify(costs));
    assert.deepEqual(
      [costs.target.rows, costs.target.seconds.map(({ length }) => length)],
      [
        [1, 4],
        [3, 3],
      ],
    );
    assert.deepEqual(
      costs.drafts.map(({ length }) => length),
      [3, 3],
    );
    assert.ok(costs.drafts.flat().every((seconds) => seconds > 0));
  });

  itWith(torchFolder, 'run in transformers', async () => {
    const { folder } = await written(depthPair('transformers'));
    const { verified, pair } = await verify(folder, torchFolder);
    assert.ok(verified.passed, verified.why);
    assert.match(pair!.by, /^transformers \d/);
    assert.equal(pair!.textsEqual, 8);
    assert.ok(pair!.rounds >= 220 && pair!.rounds < 240, `${pair!.rounds}`);
    const timed = {
      target: join(folder, 'target'),
      drafts: [join(folder, 'draft')],
      rows: [1, 4],
      runs: 3,
      prompt: [1, 403, 407],
    };
    const costs = await measureCostsIn('transformers', timed, { from: torchFolder }, {});
    assert.ok(costs && 'target' in costs, JSON.stringify(costs));
    assert.deepEqual([costs.target.seconds.map(({ length }) => length), costs.drafts[0].length], [[3, 3], 3]);
  });
});
