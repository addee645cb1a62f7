/**
 * Tokenizer and chat template run in a process of their own: what never ends or takes all memory is an error that names
 * the file, a job can be cancelled meanwhile, and the ids are those of the tokenizer in this process.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CancelledError } from '../../../src/engine/errors';
import { loadLocalTokenizer } from '../../../src/engine/tokenizer/local';
import { loadTokenizer, type Tokenizer } from '../../../src/engine/tokenizer/tokenizer';
import { full } from '../../support/shared';
import { until } from '../../support/until';
import { temporaryFolder } from '../../support/temporary';
import { writeTinyTokenizer } from '../../support/tiny-tokenizer';
import { streamed } from '../../support/token-checks';
import { folderWith, sentencePieceToy } from './toy';

const PLAIN = { addSpecialTokens: true };
/** Backtracks over every way to cut the letters into groups. */
const ENDLESS = '(a+)+$';
const TRAP = `${'a'.repeat(60)}b`;
/** Long enough for a process that works, on a busy machine. */
const PATIENCE = 1500;

const toyWith = (parts: Record<string, unknown>): string =>
  folderWith({ 'tokenizer.json': { ...sentencePieceToy(), ...parts } });
const split = (regex: string): unknown => ({
  type: 'Split',
  pattern: { Regex: regex },
  behavior: 'Isolated',
  invert: false,
});
const withTemplate = (template: string): string =>
  folderWith({ 'tokenizer.json': sentencePieceToy(), 'chat_template.jinja': template });
const say = (tokenizer: Tokenizer): Promise<string> =>
  tokenizer.chat([{ role: 'user', content: 'hi' }], { addGenerationPrompt: true });

describe('tokenizer/process', function () {
  this.timeout('1m'); // several wait until a process is given up
  it('gives ids, texts and conversations as the tokenizer in this process does', async () => {
    const folder = temporaryFolder();
    writeTinyTokenizer(folder);
    const [own, other] = [await loadLocalTokenizer(folder), await loadTokenizer(folder)];
    assert.equal(other.vocabularySize, own.vocabularySize);
    assert.equal(other.hasChatTemplate, true);
    const text = 'the and there 🙂 naïve 日本 \ufeff end. '.repeat(500);
    const ids = await other.encode(text, PLAIN);
    assert.deepEqual(ids, own.encode(text, PLAIN));
    assert.equal(await other.decode(ids, { skipSpecialTokens: true }), text);
    const stream = other.streamDecoder();
    const pieces = [...ids.slice(0, 80).map((id) => stream.push(id)), stream.end()]; // nothing waits in between
    assert.deepEqual(await Promise.all(pieces), streamed(own, ids.slice(0, 80)));
    const messages = [{ role: 'user', content: 'hi' }];
    const how = { addGenerationPrompt: true };
    assert.equal(await other.chat(messages, how), own.chat(messages, how));
  });

  it('keeps the order of what is asked at the same time', async () => {
    const tokenizer = await loadTokenizer(toyWith({}));
    const texts = Array.from({ length: 50 }, (_, i) => 'the and '.repeat(50 - i));
    const together = await Promise.all(texts.map((text) => tokenizer.encode(text, PLAIN)));
    for (const [i, text] of texts.entries()) assert.deepEqual(together[i], await tokenizer.encode(text, PLAIN));
  });

  it('ends a regular expression that has no end, and names the field; what is asked next works again', async () => {
    const cases: [parts: Record<string, unknown>, field: string][] = [
      [{ pre_tokenizer: split(ENDLESS) }, 'pre_tokenizer'],
      [{ normalizer: { type: 'Replace', pattern: { Regex: ENDLESS }, content: 'x' } }, 'normalizer'],
    ];
    for (const [parts, field] of full ? cases : cases.slice(0, 1)) {
      const tokenizer = await loadTokenizer(toyWith(parts), { patience: PATIENCE });
      const expected = { name: 'UserError', what: /tokenizer\.json$/, why: new RegExp(`"${field}" took longer than`) };
      await assert.rejects(tokenizer.encode(TRAP, PLAIN), expected);
      assert.ok((await tokenizer.encode('the', PLAIN)).length > 0);
    }
    const decoder = { type: 'Replace', pattern: { Regex: ENDLESS }, content: 'x' };
    const fused = { type: 'Sequence', decoders: [{ type: 'Fuse' }, decoder] };
    const tokenizer = await loadTokenizer(toyWith({ decoder: fused }), { patience: PATIENCE });
    const ids = await tokenizer.encode(TRAP, PLAIN);
    const expected = { name: 'UserError', why: /"decoder" took longer than/ };
    await assert.rejects(tokenizer.decode(ids, { skipSpecialTokens: true }), expected);
    if (full) await assert.rejects(tokenizer.streamDecoder().push(...ids), expected);
  });

  it('ends at once when the job is cancelled, also what cannot be interrupted', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const tokenizer = await loadTokenizer(toyWith({ pre_tokenizer: split(ENDLESS) }), { signal, patience: 1e9 });
    const trapped = tokenizer.encode(TRAP, PLAIN);
    controller.abort();
    await assert.rejects(trapped, CancelledError);
    // What was written before a cancellation can still be shown.
    assert.equal(
      await tokenizer.decode([259, 260], { skipSpecialTokens: true }),
      (await local()).decode([259, 260], { skipSpecialTokens: true }),
    );
    await assert.rejects(loadTokenizer(toyWith({}), { signal }), CancelledError);
  });

  it('ends a template that takes all memory, or has no end', async () => {
    const what = /chat template of/;
    const bomb = await loadTokenizer(withTemplate('{% for i in range(1000000000) %}{% endfor %}'));
    await assert.rejects(say(bomb), { name: 'UserError', what, why: /took more memory than|took longer than/ });
    if (!full) return;
    const loops = '{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}';
    const endless = await loadTokenizer(withTemplate(loops), { patience: PATIENCE });
    await assert.rejects(say(endless), { name: 'UserError', what, why: /took longer than/ });
  });

  it('goes on with the process of the same checkpoint, and few wait', async function () {
    if (!existsSync('/proc/self/task')) this.skip();
    const own = join('/proc', String(process.pid), 'task', String(process.pid), 'children');
    // Other tests of this process have programs of their own.
    const isTokenizer = (child: string): boolean => {
      try {
        return readFileSync(join('/proc', child, 'cmdline'), 'utf8').includes('tokenizer.cjs');
      } catch {
        return false; // it has ended
      }
    };
    const all = (): string[] => readFileSync(own, 'utf8').trim().split(' ').filter(Boolean);
    const children = (): string[] => all().filter(isTokenizer);
    const before = children(); // those that other tests left
    const place = toyWith({});
    const ids = await (await loadTokenizer(place)).encode('the and', PLAIN);
    const [first, ...others] = children().filter((child) => !before.includes(child));
    assert.deepEqual(others, []);
    for (let i = 0; i < 3; i++) assert.deepEqual(await (await loadTokenizer(place)).encode('the and', PLAIN), ids);
    assert.ok(children().includes(first));
    assert.ok(children().filter((child) => !before.includes(child)).length === 1);
    for (let i = 0; i < 4; i++) await (await loadTokenizer(toyWith({}))).encode('the', PLAIN);
    await until('the others end', () => children().length <= 2);
    // A process that ended meanwhile is started again.
    const tokenizer = await loadTokenizer(place);
    const killed = children();
    for (const child of killed) process.kill(Number(child), 'SIGKILL');
    await until('all are gone', () => !all().some((child) => killed.includes(child)));
    assert.deepEqual(await tokenizer.encode('the and', PLAIN), ids);
    // Two at the same time do not disturb each other.
    const both = await Promise.all([loadTokenizer(place), loadTokenizer(place)]);
    assert.deepEqual(await Promise.all(both.map((one) => one.encode('the and', PLAIN))), [ids, ids]);
    // In turns, each goes on with its process.
    const working = children();
    for (let i = 0; i < 3; i++) await Promise.all(both.map((one) => one.encode('the', PLAIN)));
    assert.deepEqual(children(), working);
  });

  it('says what is wrong with a file as the tokenizer in this process does', async () => {
    const folder = toyWith({ decoder: { type: 'Rhyme' } });
    await assert.rejects(loadTokenizer(folder), { name: 'UserError', what: /tokenizer\.json$/, why: /Rhyme/ });
    await assert.rejects(say(await loadTokenizer(toyWith({}))), { name: 'UserError', why: /no chat template/ });
  });
});

const local = (): ReturnType<typeof loadLocalTokenizer> => loadLocalTokenizer(toyWith({}));
