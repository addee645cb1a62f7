/** Lines that a book breaks at a fixed width are joined; lines that mean something stay. */
import assert from 'node:assert/strict';
import { unwrapLines } from '../../../src/engine/files/unwrap';

const line = (words: number): string => Array.from({ length: words }, (_, i) => `word${i % 10}`).join(' ');
const wrapped = (paragraphs: number): string =>
  Array.from({ length: paragraphs }, () => [line(11), line(12), line(11), line(3)].join('\n')).join('\n\n');

describe('unwrapped lines', () => {
  it('join within a paragraph, also with carriage returns and blanks at the ends', () => {
    const [first] = unwrapLines(wrapped(10)).split('\n\n');
    assert.equal(first, [line(11), line(12), line(11), line(3)].join(' '));
    assert.equal(unwrapLines(wrapped(10)).split('\n\n').length, 10);
    assert.equal(unwrapLines(wrapped(10).replaceAll('\n', '  \r\n')), unwrapLines(wrapped(10)));
  });

  it('stay in verse, in code, in text of one line per paragraph, and in short texts', () => {
    const verse = Array.from({ length: 40 }, () => line(5)).join('\n');
    const long = Array.from({ length: 40 }, () => line(60)).join('\n');
    const mixed = Array.from({ length: 40 }, (_, i) => line(i % 3 === 0 ? 2 : 11)).join('\n');
    for (const text of [verse, long, mixed, wrapped(2), '']) assert.equal(unwrapLines(text), text);
  });

  it('take time in proportion to the text', () => {
    assert.equal(unwrapLines(' '.repeat(2 ** 20)).length, 2 ** 20);
  });
});
