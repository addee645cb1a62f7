/** `coppice vocabulary`: what it says, what it writes, and that this is the same model on texts whose tokens all stay. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { loadLocalTokenizer, type LocalTokenizer } from '../../src/engine/tokenizer/local';
import { coppice } from '../support/built-cli';
import { type Json, keys, makeCliMaterial, readJson, run, sorted } from '../support/cli';
import { continued, genaiPython, itWith, nodePackages } from '../support/consumers';
import { continueWithLlamaCpp, itLlamaCpp } from '../support/llamacpp';
import { temporaryFolder } from '../support/temporary';

const SAMPLE = resolve(import.meta.dirname, '../../media/sample');
const TEXT = join(SAMPLE, 'calibration.txt');
const OTHER = join(SAMPLE, 'evaluation.txt');

const encode = (tokenizer: LocalTokenizer, text: string): number[] =>
  tokenizer.encode(text, { addSpecialTokens: false });

const LIMITED = ['--text', TEXT, '--limit', '8'];
/** The text was counted, so all of its tokens stay. */
const PROMPT = readFileSync(TEXT, 'utf8').split('\n')[0].split(' ').slice(0, 8).join(' ');

describe('command line: vocabulary', function () {
  this.timeout(180_000);
  makeCliMaterial();
  const folder = temporaryFolder();
  const [out, gguf, trimmedGguf, onnx, record] = ['trimmed', 'sample.gguf', 'trimmed.gguf', 'onnx', 'record.json'].map(
    (name) => join(folder, name),
  );
  let report: Json;
  let written: Json;
  let kept: number[];
  let original: LocalTokenizer;
  let trimmed: LocalTokenizer;

  before(async () => {
    report = await run('vocabulary', SAMPLE, '--texts', TEXT, '--record', record);
    written = await run('vocabulary', SAMPLE, '--texts', TEXT, '--held-out', TEXT, '--out', out);
    [original, trimmed] = [await loadLocalTokenizer(SAMPLE), await loadLocalTokenizer(out)];
    const [texts, vocabulary] = [out, SAMPLE].map((place) => {
      const { model } = readJson(join(place, 'tokenizer.json')) as { model: { vocab: Record<string, number> } };
      return model.vocab;
    });
    kept = Object.entries(texts)
      .sort(([, a], [, b]) => a - b)
      .map(([text]) => vocabulary[text]);
  });

  it('without an output it says what would stay, and writes nothing', () => {
    const contract = sorted(
      'kind size kept seen specials alphabet closure filled merges min multiple parameters bytes texts heldOut examples counts table written',
    );
    assert.deepEqual(
      contract.filter((name) => !keys(report).includes(name)),
      [],
    );
    assert.deepEqual([report.kind, report.size, report.alphabet, report.written], ['bpe-bytes', 2048, 256, null]);
    const held = report.heldOut as {
      bitsPerByte: Json;
      coverage: number;
      growth: number;
      covered: number;
      equal: number;
    };
    assert.ok(Number(held.bitsPerByte.after) > Number(held.bitsPerByte.before), 'text that was not counted costs more');
    assert.equal(held.covered, held.equal);
    const table = report.table as { min: number; kept: number; coverage: number; growth?: number }[];
    assert.equal(table[0].kept, report.kept);
    assert.ok(
      table.every(
        ({ coverage, kept: size }, i) => i === 0 || (coverage <= table[i - 1].coverage && size <= table[i - 1].kept),
      ),
    );
    const counts = report.counts as { tokens: number }[];
    assert.equal(
      counts.reduce((sum, { tokens }) => sum + tokens, 0),
      report.seen,
    );
    const { kind, results, inputs } = readJson(record) as { kind: string; results: Json; inputs: Json[] };
    assert.deepEqual([kind, results.kept], ['vocabulary', report.kept]);
    assert.deepEqual(
      inputs.map(({ role, name }) => [role, name]),
      [
        ['model', basename(SAMPLE)],
        ['texts', 'calibration.txt'],
      ],
    );
  });

  it('a counted text is encoded as before, and any other text can still be written', () => {
    const back = new Map(kept.map((id, now) => [id, now]));
    for (const line of readFileSync(TEXT, 'utf8').split(/(?<=\n)/)) {
      assert.deepEqual(
        encode(trimmed, line),
        encode(original, line).map((id) => back.get(id)),
      );
    }
    for (const text of ['Quartz 🙂 naïve 日本', 'def f(x):\n\treturn x ** 2', '']) {
      assert.equal(trimmed.decode(encode(trimmed, text), { skipSpecialTokens: false }), text);
    }
    const { bitsPerByte, covered, pieces } = written.heldOut as { bitsPerByte: Json; covered: number; pieces: number };
    assert.equal(covered, pieces);
    // It is not asked for words that it cannot say: never more than before, and by much less than this.
    assert.ok(Number(bitsPerByte.after) <= Number(bitsPerByte.before));
  });

  it('the logits of kept tokens are the same to the bit, and so is the text', async () => {
    assert.equal((written.verified as Json).logitsDifference, 0);
    const [before, after] = await Promise.all(
      [SAMPLE, out].map((model) => run('generate', model, '--prompt', PROMPT, '--greedy', '--max-new-tokens', '24')),
    );
    assert.equal(after.text, before.text);
  });

  it('every id in the files is that of the same token', async () => {
    assert.equal((await run('inspect', out)).vocabulary, written.kept);
    const text = (place: string, id: number): string =>
      (place === out ? trimmed : original).decode([id], { skipSpecialTokens: false });
    for (const name of ['config.json', 'generation_config.json'].filter((each) => existsSync(join(SAMPLE, each)))) {
      const [before, after] = [SAMPLE, out].map((place) => readJson(join(place, name)));
      for (const [key, id] of Object.entries(before)) {
        if (!key.endsWith('_token_id') || typeof id !== 'number') continue;
        assert.equal(text(out, after[key] as number), text(SAMPLE, id), `${name}, ${key}`);
      }
    }
    assert.ok(readFileSync(join(out, 'README.md'), 'utf8').includes('Bits per byte'));
    assert.deepEqual(
      readdirSync(out).filter((name) => /vocab\.json|merges\.txt|tokenizer\.model/.test(name)),
      [],
    );
  });

  it('bits per byte compare the two models, and a comparison by perplexity is refused', async () => {
    const [before, after] = [await run('eval', SAMPLE, ...LIMITED), await run('eval', out, ...LIMITED)];
    assert.ok(Number(after.bitsPerByte) < Number(before.bitsPerByte) * 1.001);
    const { code, stderr } = await coppice(['eval', out, ...LIMITED, '--against', SAMPLE]);
    assert.equal(code, 1);
    assert.match(stderr, /2048|2,048/);
  });

  it('a measurement on a counted text is told to be too good, also of what is made from the trimmed model', async () => {
    const told = async (model: string, text: string): Promise<boolean> => {
      const { code, stderr } = await coppice(['eval', model, '--text', text, '--limit', '1']);
      assert.equal(code, 0, stderr);
      return stderr.includes('warning: blocks or tokens were chosen, or weights fitted, on this text too');
    };
    const shorter = join(folder, 'shorter');
    await run('prune', out, '--blocks', '4', '--out', shorter);
    const again = join(folder, 'again');
    await run('vocabulary', shorter, '--texts', OTHER, '--max-bits-growth', '9', '--max-growth', '9', '--out', again);
    assert.equal(await told(out, TEXT), true);
    assert.equal(await told(again, TEXT), true, 'it inherits what chose its parents');
    assert.equal(await told(again, OTHER), true);
    assert.equal(await told(out, OTHER), false);
  });

  it('a GGUF file gives a GGUF file, whose rows are copied; blocks can be removed from it', async () => {
    await run('export', SAMPLE, '--format', 'gguf', '--type', 'q8_0', '--out', gguf);
    const result = await run(
      'vocabulary',
      gguf,
      '--texts',
      TEXT,
      '--held-out',
      TEXT,
      '--no-bits',
      '--out',
      trimmedGguf,
    );
    assert.deepEqual([result.kept, (result.verified as Json).logitsDifference], [written.kept, null]);
    const shorter = join(folder, 'shorter.gguf');
    await run('export', trimmedGguf, '--remove', '3', '--format', 'gguf', '--type', 'q8_0', '--out', shorter);
    const { vocabulary, blocks } = await run('inspect', shorter);
    assert.deepEqual([vocabulary, blocks], [written.kept, 11]);
    const [a, b] = await Promise.all(
      [gguf, trimmedGguf].map((model) =>
        run('generate', model, '--prompt', PROMPT, '--greedy', '--max-new-tokens', '24'),
      ),
    );
    assert.equal(b.text, a.text);
  });

  itLlamaCpp('llama.cpp reads it, cuts the prompt into the same tokens, and writes the same text', () => {
    const [a, b] = [gguf, trimmedGguf].map((file) => continueWithLlamaCpp(file, PROMPT, 20));
    assert.deepEqual(
      b.promptIds.map((id) => kept[id]),
      a.promptIds,
    );
    assert.deepEqual(
      b.ids.map((id) => kept[id]),
      a.ids,
    );
    assert.equal(b.text, a.text);
  });

  describe('exported to ONNX', () => {
    const prompts = (): number[][] => [original, trimmed].map((tokenizer) => encode(tokenizer, PROMPT));
    const folders = [join(folder, 'onnx-before'), onnx];
    before(async () => {
      for (const [i, model] of [SAMPLE, out].entries()) {
        await run('export', model, '--format', 'onnx', '--type', 'fp32', '--out', folders[i]);
      }
    });
    itWith(nodePackages, 'transformers.js writes the same text', () => {
      const [a, b] = prompts().map((ids, i) => continued('transformersjs.mjs', folders[i], ids, 20, 'fp32'));
      assert.deepEqual([b.text, b.ids.map((id) => kept[id])], [a.text, a.ids]);
    });
    itWith(genaiPython, 'onnxruntime-genai writes the same text', () => {
      const [a, b] = prompts().map((ids, i) => continued('genai.py', folders[i], ids, 20));
      assert.deepEqual([b.text, b.ids.map((id) => kept[id])], [a.text, a.ids]);
    });
  });

  it('languages and words stay', async () => {
    const words = join(folder, 'words.txt');
    writeFileSync(words, 'village\nkitchen\n');
    const few = join(folder, 'few.txt');
    writeFileSync(few, 'Once upon a time.\n');
    const options = ['--texts', few, '--no-bits', '--multiple', '1'];
    const size = async (...more: string[]): Promise<number> =>
      Number((await run('vocabulary', SAMPLE, ...options, ...more)).kept);
    const [none, some, english] = [await size(), await size('--keep', words), await size('--keep-languages', 'en')];
    assert.ok(none < some && some < english, `${none}, ${some}, ${english}`);
  });

  it('the application’s judging rows are held out', async () => {
    const chats = join(folder, 'chats.jsonl');
    const lines = Array.from({ length: 40 }, (_, i) =>
      JSON.stringify({ prompt: `Tell story ${i}.`, response: `Tom had ${i} red balls.` }),
    );
    writeFileSync(chats, lines.join('\n'));
    const result = await run('vocabulary', SAMPLE, '--application', chats, '--no-bits');
    const { pieces } = result.heldOut as { pieces: number };
    assert.ok(pieces > 0 && pieces < 40);
  });

  describe('refuses', () => {
    const refused = async (code: number, why: RegExp, ...args: string[]): Promise<void> => {
      const before = readdirSync(folder).sort();
      const end = await coppice(['vocabulary', ...args]);
      assert.equal(end.code, code, end.stderr);
      assert.match(end.stderr, why);
      assert.match(end.stderr, /try: /);
      assert.deepEqual(readdirSync(folder).sort(), before);
    };
    const few = join(folder, 'refused.txt');
    before(() => writeFileSync(few, 'Once upon a time there was a girl.\n'));
    const no = (): string => join(folder, 'no');

    it('more bits per byte than the limit', () =>
      refused(
        3,
        /bits per byte, where 3(\.0)? % are allowed[\s\S]*--max-bits-growth/,
        SAMPLE,
        '--texts',
        few,
        '--held-out',
        TEXT,
        '--out',
        no(),
      ));
    it('more tokens than the limit', () =>
      refused(
        3,
        /times as many tokens.*1\.05/,
        SAMPLE,
        '--texts',
        few,
        '--held-out',
        TEXT,
        '--no-bits',
        '--out',
        no(),
      ));
    it('a folder for a GGUF file, and the reverse', async () => {
      await refused(1, /GGUF/, gguf, '--texts', TEXT, '--out', no());
      await refused(1, /folder/, SAMPLE, '--texts', TEXT, '--out', `${no()}.gguf`);
    });
    it('an output that exists', () => refused(1, /trimmed/, SAMPLE, '--texts', TEXT, '--out', out));
    it('a text that is not there, and one that is no text', async () => {
      await refused(1, /nothing\.txt/, SAMPLE, '--texts', join(folder, 'nothing.txt'));
      const bytes = join(mkdtempSync(join(temporaryFolder(), 'x')), 'bytes.txt');
      writeFileSync(bytes, Buffer.from([0x61, 0xff, 0xfe, 0x62]));
      await refused(1, /UTF-8/, SAMPLE, '--texts', bytes);
    });
    it('texts without a token', async () => {
      const empty = join(temporaryFolder(), 'empty.txt');
      writeFileSync(empty, '');
      await refused(1, /empty/, SAMPLE, '--texts', empty);
    });
    it('no text', () => refused(2, /--texts|--application/, SAMPLE));
    it('a language that is not known', () => refused(2, /xx/, SAMPLE, '--texts', TEXT, '--keep-languages', 'xx'));
  });
});
