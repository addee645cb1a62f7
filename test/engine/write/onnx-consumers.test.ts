/**
 * Every kind and target of an exported model in programs of others: transformers.js and onnxruntime-genai continue a prompt as
 * onnxruntime does for Coppice.
 */
import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ONNX_FILES, ONNX_KINDS, ONNX_TARGETS, type OnnxKind } from '../../../src/engine/write/onnx/kinds';
import { continued, genaiPython, itWith, itWithFull, nodePackages, printed } from '../../support/consumers';
import {
  checkpointFolder,
  EXPERT_FAMILIES,
  FURTHER_FAMILIES,
  goldenGreedy,
  type GoldenName,
} from '../../support/golden';
import { openToy } from '../../support/model';
import { writeOnnxFolder } from '../../support/onnx-folder';
import { ExportedModel, exported } from '../../support/onnx-model';
import { describeShared, full, shared } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';
import { RAGGED_MODELS, tinyCheckpoint } from '../../support/tiny-models';
import { writeTinyTokenizer } from '../../support/tiny-tokenizer';

const PROMPT = [1, 403, 407, 261, 378];
const COUNT = 20;
/** Programs stop at it. */
const END = 2;
/** One thread; and no reports to the maker of onnxruntime. */
const QUIET = { ORT_DISABLE_TELEMETRY: '1' };

/** Between them: caps, windows, two rotations, heads of 20, matrices of several Linears, a table of fewer positions, experts. */
const ALWAYS: readonly GoldenName[] = [
  'families2/gemma2-softcap',
  'families2/gemma3-pattern',
  'families2/phi3-longrope',
  'families3/qwen3moe-norm',
];

/** Those with golden continuations. */
const CONTINUING: readonly GoldenName[] = [
  ...FURTHER_FAMILIES.map((family) => `families2/${family}` as const),
  ...EXPERT_FAMILIES.filter((family) => family !== 'granite4-hybrid').map((family) => `families3/${family}` as const),
  'families3/granite4-dense',
  'families3/lfm2-conv',
];

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
        for (const kind of full ? ONNX_KINDS : (['fp32', 'q4'] as const)) {
          const model = await ExportedModel.open(checkpoint, folder, { kind, target, kept: [0, 1, 3, 4] });
          expected.set(kind, await model.greedy(PROMPT, COUNT));
          await model.close();
        }
      });
      // Each program takes one kind for each target, and all in test:full.
      const inJs = target === 'cpu' ? 'fp32' : 'q4';
      const inPython = target === 'cpu' ? 'q4' : 'fp32';
      for (const kind of ONNX_KINDS) {
        (kind === inJs ? itWith : itWithFull)(nodePackages, `transformers.js, ${kind}`, () =>
          assert.deepEqual(inTransformersJs(folder, kind), expected.get(kind)),
        );
        (kind === inPython ? itWith : itWithFull)(genaiPython, `onnxruntime-genai, ${kind}`, () =>
          assert.deepEqual(inGenai(folder, kind), expected.get(kind)),
        );
      }
    });
  }

  for (const name of CONTINUING) {
    const family = name.split('/')[1];
    const golden = goldenGreedy(name);
    const always = ALWAYS.includes(name);
    for (const [what, removed, prompts] of [
      ['whole', [], golden.full],
      ['shortened', golden.removed, golden.pruned],
    ] as const) {
      describe(`${family}, ${what}`, () => {
        let folder: string;
        before(async () => {
          const source = join(temporaryFolder(), family);
          cpSync(checkpointFolder(name), source, { recursive: true });
          writeTinyTokenizer(source);
          folder = await writeOnnxFolder(await openToy(source), removed, { kinds: ['fp32'], target: 'cpu' });
        });
        /** The prompt with most to compare: up to a near tie, the end, and the longest text that the model takes. */
        const continuesIn = (script: 'transformersjs.mjs' | 'genai.py'): void => {
          const { max_position_embeddings: room } = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as {
            max_position_embeddings: number;
          };
          const all = prompts.map(({ promptIds, ids, margins }) => {
            const ends = [margins.findIndex((margin) => margin < 1e-3), ids.indexOf(END), room - promptIds.length];
            return { promptIds, sure: ids.slice(0, Math.min(ids.length, ...ends.filter((end) => end >= 0))) };
          });
          const [{ promptIds, sure }] = all.sort((a, b) => b.sure.length - a.sure.length);
          assert.ok(sure.length >= 12);
          assert.deepEqual(continued(script, folder, promptIds, sure.length).ids, sure);
        };
        for (const [script, library, needs] of [
          ['transformersjs.mjs', 'transformers.js', nodePackages],
          ['genai.py', 'onnxruntime-genai', genaiPython],
        ] as const) {
          if (name === 'families3/lfm2-conv' && script === 'genai.py') continue; // its caches are not told to it
          const title = `continues as PyTorch in ${library}`;
          if (full || (always && what === 'shortened')) itWith(needs, title, () => continuesIn(script));
          else it.skip(`${title} (in test:full)`);
        }
      });
    }
  }

  for (const name of RAGGED_MODELS) {
    (name === RAGGED_MODELS[0] ? itWith : itWithFull)(
      nodePackages,
      `transformers.js runs blocks of different shapes: ${name}`,
      async () => {
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
      },
    );
  }
});
