/** Windows of the start of a text are those of the whole text, and cost no more than the start. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { windowsOfText } from '../../../src/engine/evaluate/text-windows';
import { evaluationWindows } from '../../../src/engine/evaluate/windows';
import { loadLocalTokenizer, type LocalTokenizer } from '../../../src/engine/tokenizer/local';
import { full, itShared, shared } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';
import { writeTinyTokenizer } from '../../support/tiny-tokenizer';

const PROSE =
  'The river bends, and the mill stands where it always stood.\n\nIn 1872 they — all of them — sang.   "Oh!"\n';

/** Texts whose ends are cut in all kinds of places. */
const TEXTS: readonly string[] = [
  PROSE.repeat(400),
  '  \n\n \t'.repeat(6000),
  'a'.repeat(40_000),
  'abcab'.repeat(8000),
  '山高月小水落石出曾日月之幾何而江山不可復識矣'.repeat(1500),
  '🙂🙃👩‍👩‍👧é'.repeat(3000),
  `${'x'.repeat(5000)} ${PROSE.repeat(300)}`,
];

async function assertSameWindows(
  tokenizer: LocalTokenizer,
  texts: readonly string[],
  what: string,
  { windows, limits }: { readonly windows: readonly number[]; readonly limits: readonly number[] },
): Promise<void> {
  for (const [t, text] of texts.entries()) {
    const ids = tokenizer.encode(text, { addSpecialTokens: false });
    for (const window of windows) {
      for (const limit of limits) {
        for (const bos of ['stream', 'window', 'none'] as const) {
          const options = { window, limit, beginning: bos === 'none' ? { mode: bos } : { mode: bos, id: 1 } };
          const { read, ...found } = await windowsOfText(tokenizer, text, options);
          assert.ok(text.startsWith(read.text));
          assert.deepEqual(found, evaluationWindows(ids, options), `${what}, text ${t}, ${JSON.stringify(options)}`);
        }
      }
    }
  }
}

describe('evaluate/text-windows', function () {
  this.timeout(120_000);

  it('are those of the whole text', async () => {
    const folder = temporaryFolder();
    writeTinyTokenizer(folder);
    const all = full ? { windows: [3, 16, 61], limits: [1, 2, 7, 50] } : { windows: [3, 61], limits: [2, 50] };
    await assertSameWindows(await loadLocalTokenizer(folder), TEXTS, 'toy', all);
  });

  itShared('are those of the whole text, with the tokenizers of many models', async () => {
    const prose = readFileSync(shared('data/wikitext2/wiki.test.raw'), 'utf8').slice(0, full ? 60_000 : 20_000);
    const texts = [prose, ...TEXTS.map((text) => text.slice(0, full ? 12_000 : 3000))];
    for (const name of ['data/tokenizers', 'models/stories260K-f32', 'models/smollm2-135m']) {
      const limits = full ? [2, 50] : [50];
      await assertSameWindows(await loadLocalTokenizer(shared(name)), texts, name, { windows: [16], limits });
    }
  });

  it('encode no more than they need', async () => {
    let characters = 0;
    const words = {
      encode(text: string): number[] {
        characters += text.length;
        return text.split(' ').map((word) => word.length);
      },
    };
    const text = 'some words of a text '.repeat(100_000);
    const options = { window: 16, limit: 2, beginning: { mode: 'none' } } as const;
    const { rows } = await windowsOfText(words, text, options);
    assert.deepEqual(rows, evaluationWindows(words.encode(text), options).rows);
    assert.ok(characters - text.length < 2000, `${characters - text.length} characters`);
  });

  it('a text of long words is looked at further, and one that depends on its end as a whole', async () => {
    const options = { window: 4, limit: 1, beginning: { mode: 'none' } } as const;
    const long = `${'x'.repeat(1000)} `.repeat(20);
    const words = { encode: (text: string): number[] => text.split(' ').map((word) => word.length) };
    assert.deepEqual([...(await windowsOfText(words, long, options)).rows[0]], [1000, 1000, 1000, 1000]);
    const byLength = { encode: (text: string): number[] => Array<number>(text.length).fill(text.length) };
    assert.equal((await windowsOfText(byLength, long, options)).rows[0][0], long.length);
  });

  it('refuse what evaluationWindows refuses', async () => {
    const words = { encode: (text: string): number[] => text.split(' ').map((word) => word.length) };
    const wanted = { window: 4, limit: 1, beginning: { mode: 'none' } } as const;
    await assert.rejects(windowsOfText(words, 'two words', wanted), { name: 'UserError', why: /it has 2 tokens/ });
    for (const wrong of [{ limit: 0 }, { window: 1 }, { limit: 1.5 }]) {
      const option = Object.keys(wrong)[0];
      const refusal = { name: 'UserError', what: new RegExp(`--${option}`) };
      await assert.rejects(windowsOfText(words, 'a b c d e f '.repeat(100), { ...wanted, ...wrong }), refusal);
    }
  });
});
