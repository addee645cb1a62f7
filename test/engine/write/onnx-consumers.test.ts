/**
 * Every kind and target of an exported model in programs of others: transformers.js and onnxruntime-genai continue a prompt as
 * onnxruntime does for Coppice.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ONNX_FILES, ONNX_KINDS, ONNX_TARGETS, type OnnxKind } from '../../../src/engine/write/onnx/kinds';
import { genaiPython, itWith, nodePackages, printed } from '../../support/consumers';
import { openToy } from '../../support/model';
import { writeOnnxFolder } from '../../support/onnx-folder';
import { ExportedModel, exported } from '../../support/onnx-model';
import { describeShared, full, shared } from '../../support/shared';
import { RAGGED_MODELS, tinyCheckpoint } from '../../support/tiny-models';

const PROMPT = [1, 403, 407, 261, 378];
const COUNT = 20;
/** One thread; and no reports to the maker of onnxruntime. */
const QUIET = { ORT_DISABLE_TELEMETRY: '1' };

const idsOf = (output: string): readonly number[] =>
  (JSON.parse(output.split('\n').at(-1)!) as { ids: readonly number[] }).ids;

const inTransformersJs = (folder: string, kind: OnnxKind, prompt: readonly number[] = PROMPT): readonly number[] => {
  const script = shared('consumers/transformersjs.mjs');
  return idsOf(printed(process.execPath, [script, folder, JSON.stringify(prompt), String(COUNT), kind], QUIET));
};

/** Its config names one model. */
function inGenai(folder: string, kind: OnnxKind): readonly number[] {
  const file = join(folder, 'genai_config.json');
  const config = JSON.parse(readFileSync(file, 'utf8')) as { model: { decoder: { filename: string } } };
  config.model.decoder.filename = `onnx/${ONNX_FILES[kind]}`;
  writeFileSync(file, JSON.stringify(config));
  return idsOf(
    printed(genaiPython!, [shared('consumers/genai.py'), folder, JSON.stringify(PROMPT), String(COUNT)], QUIET),
  );
}

describeShared('exported models in programs of others', function () {
  this.timeout(60_000);

  for (const target of ONNX_TARGETS) {
    describe(`stories260K without block 2, for ${target}`, () => {
      let folder: string;
      const expected = new Map<OnnxKind, readonly number[]>();
      before(async () => {
        const checkpoint = await openToy(shared('models/stories260K-f32'));
        folder = await writeOnnxFolder(checkpoint, [2], { kinds: ONNX_KINDS, target });
        for (const kind of ONNX_KINDS) {
          const model = await ExportedModel.open(checkpoint, folder, { kind, target, kept: [0, 1, 3, 4] });
          expected.set(kind, await model.greedy(PROMPT, COUNT));
          await model.close();
        }
      });
      for (const kind of full ? ONNX_KINDS : (['fp32', 'q4'] as const)) {
        itWith(nodePackages, `transformers.js, ${kind}`, () =>
          assert.deepEqual(inTransformersJs(folder, kind), expected.get(kind)),
        );
        itWith(genaiPython, `onnxruntime-genai, ${kind}`, () =>
          assert.deepEqual(inGenai(folder, kind), expected.get(kind)),
        );
      }
    });
  }

  for (const name of RAGGED_MODELS) {
    itWith(nodePackages, `transformers.js runs blocks of different shapes: ${name}`, async () => {
      const folder = tinyCheckpoint(name, { tokenizer: true });
      const checkpoint = await openToy(folder);
      const { out } = await exported(checkpoint, {
        beside: () =>
          Promise.resolve(
            ['config.json', 'tokenizer.json', 'tokenizer_config.json'].map((file) => ({
              name: file,
              text: readFileSync(join(folder, file), 'utf8'),
            })),
          ),
      });
      const model = await ExportedModel.open(checkpoint, out);
      const prompt = [1, 40, 77, 200];
      const expected = await model.greedy(prompt, COUNT);
      await model.close();
      const found = inTransformersJs(out, 'fp32', prompt);
      assert.ok(found.length > 3);
      assert.deepEqual(found, expected.slice(0, found.length)); // it ends at a token that ends texts
    });
  }
});
