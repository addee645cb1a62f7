/** The pictures of the documents show the interface as it is. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { interfaceTexts, messagesBehind, type Picture, PICTURES } from '../../support/pictures';
import { filesIn, textOf } from './repository';

const FOLDER = 'media/readme';
const listed = JSON.parse(textOf(PICTURES)) as Record<string, Picture>;

describe('pictures of the documents', () => {
  const texts = new Set(interfaceTexts());

  it('are all in the list', () => {
    assert.deepEqual(
      Object.keys(listed).sort(),
      filesIn(FOLDER)
        .filter((file) => file.endsWith('.png'))
        .sort(),
    );
  });

  for (const [name, { sha256, texts: shown }] of Object.entries(listed)) {
    it(`show texts that are in the code: ${name}`, () => {
      const bytes = readFileSync(resolve(import.meta.dirname, '../../..', FOLDER, name));
      assert.equal(createHash('sha256').update(bytes).digest('hex'), sha256, 'run npm run docs:pictures');
      assert.ok(shown.length >= 5, String(shown.length));
      assert.deepEqual(
        shown.filter((text) => !texts.has(text)),
        [],
        'take this picture again (CONTRIBUTING.md)',
      );
    });
  }

  it('are known by the text with the most letters of its own', () => {
    const messages = ['{0} tokens', 'Size {0} (limit {1})', '{0} (limit {1})', 'Kept'];
    assert.deepEqual(messagesBehind(['Size 1 MB (limit 2 MB)', 'Kept', '12', 'Kept 3'], messages), [
      'Kept',
      'Size {0} (limit {1})',
    ]);
  });
});
