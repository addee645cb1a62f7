/** The record of a pair may be anybody's: what is wrong with it is named, and nothing is opened. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pairIn, PAIR_NAME } from '../../../src/engine/draft/pair-file';
import { UserError } from '../../../src/engine/errors';
import { temporaryFolder } from '../../support/temporary';

const SHA = 'a'.repeat(64);

const record = (settings: object = {}, results: object = {}): object => ({
  schema: 1,
  kind: 'draft',
  inputs: [{ role: 'model', name: 'toy' }],
  settings: { runtime: 'llama.cpp', length: 4, threshold: 0, temperature: 0, ...settings },
  seed: null,
  device: null,
  versions: {},
  results: {
    files: [{ name: 'target.gguf', bytes: 1, sha256: SHA }],
    texts: [{ prompt: [1], ids: [2, 3], rounds: 1 }],
    ...results,
  },
  started: '2026-11-30T00:00:00Z',
  finished: '2026-11-30T00:00:00Z',
});

function folderWith(content: object | string): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, PAIR_NAME), typeof content === 'string' ? content : JSON.stringify(content));
  return folder;
}

const text = (more: object): object => ({ texts: [{ prompt: [1], ids: [2, 3], rounds: 1, ...more }] });
const file = (more: object): object => ({ files: [{ name: 'target.gguf', sha256: SHA, ...more }] });

describe('draft/pair-file', () => {
  it('is read, and absent where there is none', async () => {
    const pair = await pairIn(folderWith(record()));
    assert.deepEqual([pair?.runtime, pair?.length, pair?.model, pair?.texts[0].ids], ['llama.cpp', 4, 'toy', [2, 3]]);
    assert.equal(await pairIn(temporaryFolder()), undefined);
    assert.equal(await pairIn(join(temporaryFolder(), 'none')), undefined);
  });

  const faults: readonly (readonly [name: string, content: object | string, why: RegExp])[] = [
    ['no JSON', '{', /not JSON/],
    ['another schema', { ...record(), schema: 9 }, /schema is 9/],
    ['a program', record({ runtime: '../../bin/sh' }), /runtime is "\.\.\/\.\.\/bin\/sh", no program/],
    ['a long draft', record({ length: 1e9 }), /length is 1000000000, not a whole number from 1 to 16/],
    ['half a token', record({ length: 1.5 }), /length is 1\.5/],
    ['no length', record({ length: undefined }), /length is missing/],
    ['a threshold', record({ threshold: 2 }), /threshold is 2/],
    ['a temperature', record({ temperature: -1 }), /temperature is -1/],
    ['no texts', record({}, { texts: {} }), /texts is not a list/],
    ['too many texts', record({}, { texts: Array(257).fill({ prompt: [1], ids: [2], rounds: 1 }) }), /at most 256/],
    ['a long text', record({}, text({ ids: Array(4097).fill(1) })), /ids of texts\[0\] is not a list of 1 to 4096/],
    ['a long prompt', record({}, text({ prompt: Array(32_769).fill(1) })), /prompt of texts\[0\]/],
    [
      'long texts together',
      record({}, { texts: Array(40).fill({ prompt: [1], ids: Array(4096).fill(1), rounds: 1 }) }),
      /163880 tokens, at most 131072/,
    ],
    ['words for ids', record({}, text({ ids: ['2'] })), /ids of texts\[0\]/],
    ['ids below 0', record({}, text({ prompt: [-1] })), /prompt of texts\[0\]/],
    ['more passes than tokens', record({}, text({ rounds: 3 })), /rounds of texts\[0\]/],
    [
      'a name that leads out',
      record({}, file({ name: '../x' })),
      /files\[0\] is "\.\.\/x", which is not in the folder/,
    ],
    ['an absolute name', record({}, file({ name: '/etc/passwd' })), /"\/etc\/passwd", which is not in the folder/],
    ['a name on a drive', record({}, file({ name: 'C:\\x' })), /which is not in the folder/],
    ['no hash', record({}, file({ sha256: 'x' })), /no SHA-256/],
  ];
  for (const [name, content, why] of faults) {
    it(`refuses ${name}`, async () => {
      await assert.rejects(pairIn(folderWith(content)), (error: unknown) => {
        assert.ok(error instanceof UserError);
        assert.match(error.texts.what, /coppice-pair\.json is not the record of a pair/);
        assert.match(error.texts.why, why);
        return true;
      });
    });
  }
});
