/** A healing that several processes share gives the bits of one, whatever happens to them on the way. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { keyText } from '../../../src/engine/checkpoint/weight-key';
import { CancelledError, UserError } from '../../../src/engine/errors';
import { heal, type HealOptions, type Others } from '../../../src/engine/heal/heal';
import type { Healed } from '../../../src/engine/heal/result';
import { type Meeting, SharedAgreement } from '../../../src/engine/heal/shared';
import { Turns } from '../../../src/engine/parts/turns';
import type { Progress } from '../../../src/engine/progress';
import { Overlay } from '../../../src/engine/weights/overlay';
import { readWide } from '../../../src/engine/weights/source';
import type { Model } from '../../../src/engine/model/model';
import { viewOf } from '../../support/healing';
import { describedModel } from '../../support/model';
import { randomRows } from '../../support/random';
import { temporaryFolder } from '../../support/temporary';
import { tinyCheckpoint } from '../../support/tiny-models';

const rows = randomRows(380, 12, 288, 61); // several runs
const heldOut = randomRows(4, 12, 288, 62);
const cut = viewOf(4, '1,2.attention');

const keysOf = ({ patches }: Healed): string[] => patches.map(([key]) => keyText(key)).sort();

describe('a healing in parts', () => {
  const folder = tinyCheckpoint('llama-bias');
  const plain = describedModel(() => folder);
  const withNorms = describedModel(() => tinyCheckpoint('gemma3-pattern'));

  interface PartOptions extends Partial<Pick<Meeting, 'digest' | 'look' | 'signal'>> {
    readonly options?: HealOptions;
    readonly model?: Model;
    /** Called with what it says of its progress. */
    readonly said?: (label: string) => void;
  }

  const turns = new Turns();

  /** One part, as a process of its own would heal it. */
  function part(state: string, number: number, of: number, given: PartOptions = {}): Promise<Healed> {
    const { options = { method: 'refit' }, digest = 'a'.repeat(64), signal, said, model = plain() } = given;
    const look = given.look ?? (() => Promise.resolve());
    const own = { folder: state, digest, part: { number, of }, checkpoint: model.checkpoint, look, signal };
    return turns.take((rest) => {
      const meet: Others['meet'] = (...around) => new SharedAgreement({ ...own, rest }, ...around);
      const others = { part: own.part, meet };
      const job = { signal, onProgress: ({ label }: Progress) => said?.(label) };
      return heal(model, cut, rows, { ...options, heldOut, others }, job);
    });
  }

  /** All parts side by side; one that fails ends the others. */
  async function parts(state: string, of: number, given: PartOptions = {}): Promise<Healed[]> {
    const stop = new AbortController();
    const all = Array.from({ length: of }, (_, i) => part(state, i + 1, of, { ...given, signal: stop.signal }));
    return Promise.all(all).finally(() => stop.abort());
  }

  /** The same steps, likeness and bits of weights. */
  async function assertSame(found: Healed, expected: Healed, { weights } = plain()): Promise<void> {
    assert.deepEqual([found.steps, found.fit, found.heldOut], [expected.steps, expected.fit, expected.heldOut]);
    assert.deepEqual(keysOf(found), keysOf(expected));
    const [a, b] = [found, expected].map(({ patches }) => new Overlay(weights, patches));
    for (const [key] of expected.patches) assert.deepEqual(await readWide(a, key), await readWide(b, key));
  }

  const METHODS: readonly (HealOptions & { readonly norms?: true })[] = [
    { method: 'refit' },
    { method: 'refit', norms: true },
    { method: 'refit', ridge: 'auto' },
    { method: 'fold' },
    { method: 'scalar' },
  ];
  for (const { norms, ...options } of METHODS) {
    const kind = norms ? ', with norms behind' : '';
    it(`gives the bits of one process: ${options.method}, ${options.ridge ?? 'by rule'}${kind}`, async () => {
      const model = norms ? withNorms() : plain();
      const expected = await heal(model, cut, rows, { ...options, heldOut });
      const state = temporaryFolder();
      const of = options.method === 'refit' ? 3 : 2;
      const all = await parts(state, of, { options, model });
      for (const { steps } of all) assert.deepEqual(steps, expected.steps);
      await assertSame(all[0], expected, model);
      assert.deepEqual(
        readdirSync(state).filter((name) => name.includes('sums') || name.startsWith('.')),
        [],
        'sums are gone',
      );
    });
  }

  it('goes on after a part was killed, from the last site that is done', async () => {
    const state = temporaryFolder();
    const stop = new AbortController();
    const done = (): string[] => readdirSync(state).filter((name) => /^\d\.\w+\.a+\.safetensors$/.test(name));
    const first = part(state, 1, 2);
    const killed = part(state, 2, 2, { signal: stop.signal, said: () => done().length === 2 && stop.abort() });
    await assert.rejects(killed, CancelledError);
    assert.equal(done().length, 2);
    const [again, whole] = await Promise.all([part(state, 2, 2), first]);
    const expected = await heal(plain(), cut, rows, { method: 'refit', heldOut });
    await assertSame(whole, expected);
    assert.deepEqual(again.steps, expected.steps);
    // Everything is said: the last part need not walk again, and the first one makes the same once more.
    assert.deepEqual((await part(state, 2, 2)).steps, expected.steps);
    await assertSame(await part(state, 1, 2), expected);
  });

  it('refuses files that are damaged, or of another healing, by name', async () => {
    const state = temporaryFolder();
    const stop = new AbortController();
    const sums = (): string[] =>
      readdirSync(state)
        .filter((name) => name.includes('.sums-'))
        .map((name) => join(state, name));
    // The second part waits for the first, and leaves its sums.
    const alone = part(state, 2, 2, {
      signal: stop.signal,
      said: (label) => label.includes('waiting') && stop.abort(),
    });
    await assert.rejects(alone, CancelledError);
    const [file] = sums();
    const whole = readFileSync(file);
    const name = /sums-\d+\.safetensors/;
    truncateSync(file, whole.length - 8);
    await assert.rejects(part(state, 1, 2), (error: UserError) => name.test(error.message));
    writeFileSync(file, Buffer.from(whole.toString('latin1').replaceAll('a'.repeat(64), 'b'.repeat(64)), 'latin1'));
    await assert.rejects(part(state, 1, 2), /sums-\d+\.safetensors cannot be used.*of another healing/s);
  });

  it('ends where a part has failed', async () => {
    const look = (waited: readonly number[]): Promise<void> =>
      Promise.reject(new UserError(`Part ${waited.join()} failed`, 'its disk is full', 'Make room.'));
    await assert.rejects(part(temporaryFolder(), 1, 2, { look }), /Part 2 failed/);
  });

  it('has no more parts than groups of rows', async () => {
    await assert.rejects(part(temporaryFolder(), 1, 9), /cannot be cut into 9 parts/);
  });
});
