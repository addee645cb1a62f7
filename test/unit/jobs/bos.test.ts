/** Every job that reads text has one option for the begin-of-text token, with one default. */
import assert from 'node:assert/strict';
import { JOBS } from '../../../src/jobs/definitions';
import type { Options } from '../../../src/jobs/option';

/** Options that name a text, of any kind. */
const TEXTS = ['calibration', 'text', 'data', 'own', 'prompt', 'prompts'];

describe('jobs that read text', () => {
  for (const [kind, { options }] of Object.entries(JOBS) as [string, { options: Options }][]) {
    const reads = TEXTS.some((name) => name in options);
    it(`${kind}: ${reads ? 'says how texts begin' : 'reads none'}`, () => {
      assert.equal('bos' in options, reads);
      if (!reads) return;
      const { bos } = options;
      assert.deepEqual(bos.kind, { kind: 'choice', choices: ['auto', 'window', 'stream', 'none'] });
      assert.equal(bos.default, 'auto');
    });
  }
});
