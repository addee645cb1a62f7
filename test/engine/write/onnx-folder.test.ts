/** The folder of ONNX models: programs of others load it as it is, and write what Coppice writes. */
import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint, requireArchitecture } from '../../../src/engine/checkpoint/open';
import type { Checkpoint } from '../../../src/engine/checkpoint/types';
import { generate } from '../../../src/engine/evaluate/generate';
import { openModel } from '../../../src/engine/model/model';
import { viewWithout } from '../../../src/engine/model/view';
import { loadLocalTokenizer } from '../../../src/engine/tokenizer/local';
import { loadingCode } from '../../../src/engine/write/loading-code';
import type { OnnxKind, OnnxTarget } from '../../../src/engine/write/onnx/kinds';
import { genaiPython, itWith, itWithFull, nodePackages, printed, pythonTokenizers } from '../../support/consumers';
import { familyToy } from '../../support/family-toys';
import { writeOnnxFolder } from '../../support/onnx-folder';
import { describeShared, itFull, shared, smollm2Folder } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';

const PROMPT = 'Once upon a time';
const COUNT = 30;
/** More than the 31 tokens up to which fused attention is right on WebGPU. */
const LONG_PROMPT =
  'The gravity of the moon moves the water of the seas, twice a day. The sun does so too, but it is much farther away: ' +
  'its part is about a half of that of the moon. When both are in one line';

/** Prompt and text of Coppice itself, without the blocks `removed`. */
async function written(checkpoint: Checkpoint, removed: readonly number[], prompt = PROMPT): Promise<string> {
  const blocks = requireArchitecture(checkpoint).layers.length;
  const tokenizer = await loadLocalTokenizer(checkpoint.home);
  const model = await openModel(checkpoint, { device: 'cpu', threads: 1 });
  try {
    const ids = tokenizer.encode(prompt, { addSpecialTokens: true });
    const view = viewWithout(
      blocks,
      removed.map((block) => ({ block })),
    );
    const { ids: news } = await generate(model, ids, { maxNewTokens: COUNT, greedy: true, view });
    return tokenizer.decode([...ids, ...news], { skipSpecialTokens: true });
  } finally {
    await model.close();
  }
}

/** A folder as a user has it: with the packages of the examples installed. */
async function installed(
  checkpoint: Checkpoint,
  removed: readonly number[],
  kinds: readonly OnnxKind[] = ['fp32'],
  target: OnnxTarget = 'cpu',
): Promise<string> {
  const out = await writeOnnxFolder(checkpoint, removed, { kinds, target });
  if (nodePackages !== undefined) symlinkSync(nodePackages, join(out, 'examples', 'node_modules'), 'junction');
  return out;
}

const node = (folder: string, example: string, prompt = PROMPT): string =>
  printed(process.execPath, [join(folder, 'examples', example), prompt, String(COUNT)]);
const python = (folder: string, example: string, prompt = PROMPT): string =>
  printed(genaiPython!, [join(folder, 'examples', example), prompt, String(COUNT)], { PYTHONPATH: pythonTokenizers });

/** What each program writes by the code for it; onnxruntime-genai runs the folder's first kind alone, which is q4. */
function codesRun(folder: string, kind: OnnxKind): string[] {
  return loadingCode({ format: 'onnx', path: folder, kind, genai: kind === 'q4' })
    .filter(({ runs }) => runs !== 'browser')
    .map(({ runs, code }) => {
      if (runs === 'python') return printed(genaiPython!, ['-c', code], { PYTHONPATH: pythonTokenizers });
      const file = join(folder, 'examples', 'code.mjs');
      writeFileSync(file, code);
      return printed(process.execPath, [file]);
    });
}

const EXAMPLES = [
  { name: 'node-transformers.mjs', runs: node, needs: nodePackages },
  { name: 'node-onnxruntime.mjs', runs: node, needs: nodePackages },
  { name: 'python-genai.py', runs: python, needs: genaiPython },
  { name: 'python-onnxruntime.py', runs: python, needs: pythonTokenizers },
] as const;

describeShared('a folder of ONNX models', function () {
  this.timeout(60_000);

  describe('of stories260K without block 2', () => {
    let folder: string;
    let expected: string;

    before(async () => {
      const checkpoint = await openCheckpoint(shared('models/stories260K-bf16'));
      folder = await installed(checkpoint, [2]);
      expected = await written(checkpoint, [2]);
      assert.ok(expected.startsWith(PROMPT) && expected.length > 2 * PROMPT.length);
    });

    for (const { name, runs, needs } of EXAMPLES) {
      itWith(needs, `${name} writes what Coppice writes`, () => assert.equal(runs(folder, name), expected));
    }

    itWith(nodePackages, 'code for Node runs from another folder, by the path that it names', () => {
      const other = temporaryFolder();
      symlinkSync(nodePackages!, join(other, 'node_modules'), 'junction');
      const codes = loadingCode({ format: 'onnx', path: folder, kind: 'fp32' }).filter(({ runs }) => runs === 'node');
      const texts = codes.map(({ code, library }) => {
        const file = join(other, `${library}.mjs`);
        writeFileSync(file, code);
        return printed(process.execPath, [file]);
      });
      assert.ok(texts[0].startsWith(expected), texts[0]);
      assert.equal(texts[1], texts[0]);
    });

    itWith(genaiPython, 'and so does code for Python', () => {
      const other = temporaryFolder();
      mkdirSync(join(other, 'a "folder'));
      const link = join(other, 'a "folder', 'model');
      symlinkSync(folder, link, 'junction');
      const { code } = loadingCode({ format: 'onnx', path: link, kind: 'fp32' }).find(({ runs }) => runs === 'python')!;
      assert.ok(printed(genaiPython!, ['-c', code]).startsWith(expected));
    });
  });

  describe('of other kinds', () => {
    let folder: string;

    before(async () => {
      const checkpoint = await openCheckpoint(shared('models/stories260K-bf16'));
      folder = await installed(checkpoint, [2], ['q4', 'q8', 'fp16']);
    });

    for (const kind of ['q4', 'q8', 'fp16'] as const) {
      const test = kind === 'q4' ? itWith : itWithFull; // which all of them run
      test(nodePackages && pythonTokenizers, `${kind} is the same text in all programs`, () => {
        const texts = codesRun(folder, kind);
        assert.equal(texts.length, genaiPython !== undefined && kind === 'q4' ? 4 : 3);
        assert.ok(texts[0].startsWith(PROMPT) && texts[0].length > 2 * PROMPT.length, texts[0]);
        assert.deepEqual(new Set(texts), new Set([texts[0]]));
      });
    }
  });

  describe('of a GGUF file', () => {
    let folder: string;
    let expected: string;

    before(async () => {
      const checkpoint = await openCheckpoint(shared('models/stories260K-gguf/stories260K-q8_0.gguf'));
      folder = await installed(checkpoint, []);
      expected = await written(checkpoint, []);
      assert.ok(expected.startsWith(PROMPT) && expected.length > 2 * PROMPT.length);
    });

    // Its tokenizer was made from the file.
    for (const [i, { name, runs, needs }] of EXAMPLES.entries()) {
      (i === 0 ? itWith : itWithFull)(needs, `${name} writes what Coppice writes`, () =>
        assert.equal(runs(folder, name), expected),
      );
    }
  });

  // transformers.js is asked with ids (onnx-consumers.test.ts): for text, this tokenizer does not tell it to begin rows.
  itFull('of LFM2: programs with onnxruntime alone keep the states of convolutions', async () => {
    const checkpoint = await openCheckpoint(familyToy('lfm2-conv', {}, 'families3'));
    const folder = await installed(checkpoint, [1]);
    const expected = await written(checkpoint, [1]);
    for (const { name, runs, needs } of EXAMPLES) {
      if (name.includes('onnxruntime') && needs !== undefined) assert.equal(runs(folder, name), expected, name);
    }
  });

  for (const kind of ['fp16', 'q8', 'q4'] as const) {
    itFull(`of SmolLM2 in ${kind}: all programs write the same`, async () => {
      const folder = await installed(await openCheckpoint(smollm2Folder()), [20, 21], [kind]);
      const texts = EXAMPLES.filter(({ needs }) => needs).map(({ name, runs }) => runs(folder, name, LONG_PROMPT));
      assert.ok(
        texts.every((text) => text.length > LONG_PROMPT.length && text === texts[0]),
        texts.join('\n'),
      );
    });
  }

  itFull('of SmolLM2 for WebGPU: all programs write the same on a CPU, after a longer prompt too', async () => {
    const checkpoint = await openCheckpoint(smollm2Folder());
    const folder = await installed(checkpoint, [20, 21], ['fp32'], 'webgpu');
    const expected = await written(checkpoint, [20, 21], LONG_PROMPT);
    for (const { name, runs, needs } of EXAMPLES) {
      if (needs !== undefined) assert.equal(runs(folder, name, LONG_PROMPT), expected, name);
    }
  });
});
