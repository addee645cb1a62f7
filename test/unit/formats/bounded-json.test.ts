/** The parser of JSON from files, against JSON.parse and within its own limits. */
import assert from 'node:assert/strict';
import { JsonProblem, parseBoundedJson, printable } from '../../../src/engine/formats/bounded-json';

const LIMITS = { depth: 3, keyLength: 8, members: 4, items: 3, uniqueKeys: true };
const parse = (text: string | Uint8Array): unknown =>
  parseBoundedJson(typeof text === 'string' ? Buffer.from(text) : text, LIMITS);

describe('bounded JSON', () => {
  it('parses what JSON.parse parses', () => {
    for (const text of [
      '{"a":[1,2,{"b":null}]}',
      ' [ ] ',
      '"a:\\"b"',
      '{"a":"x,y,z,{[,:","b\\"":1}',
      '-1.5e3',
      '{"":{"":""}}',
    ]) {
      assert.deepEqual(parse(text), JSON.parse(text));
    }
  });

  it('keeps the same key in different objects apart', () => {
    assert.deepEqual(parse('{"a":{"b":1},"c":{"b":1}}'), { a: { b: 1 }, c: { b: 1 } });
    assert.deepEqual(parse('[{"a":1},{"a":1}]'), [{ a: 1 }, { a: 1 }]);
  });

  it('does not take the texts of a list for keys', () => {
    assert.deepEqual(parse('["a","a"]'), ['a', 'a']);
  });

  it('reads the bare word Infinity where that is allowed, and only as a value', () => {
    const text = '{"a":[0.0, Infinity],"b":-Infinity,"Infinity":"[Infinity, \\"Infinity"}';
    const read = (given: string): unknown => parseBoundedJson(Buffer.from(given), { ...LIMITS, infinity: true });
    assert.deepEqual(read(text), { a: [0, Infinity], b: -Infinity, Infinity: '[Infinity, "Infinity' });
    assert.throws(() => parse('[Infinity]'), JsonProblem);
    for (const odd of [
      '1Infinity',
      'InfinityX',
      '-InfinityInfinity',
      '[Infinity1]',
      '{Infinity:1}',
      '+Infinity',
      'NaN',
      '1eInfinity',
    ])
      assert.throws(() => read(odd), JsonProblem, odd);
  });

  const refused: [string, string | Uint8Array, RegExp][] = [
    ['depth', '[[[[]]]]', /nested/],
    ['members', '{"a":1,"b":1,"c":1,"d":1,"e":1}', /object[^]*more than 4/],
    ['items', '[1,1,1,1]', /list[^]*more than 3/],
    ['key length', '{"123456789":1}', /longer than 8/],
    ['a key twice', '{"a":{"x":1,"y":[1],"x":1}}', /"x" occurs twice/],
    ['a key twice with a space before the colon', '{"a" :1,"a"\n:1}', /"a" occurs twice/],
    ['an open string', '{"a', /not valid JSON/],
    ['a string that ends in a backslash', '{"a\\', /not valid JSON/],
    ['closing brackets alone', ']]]]', /not valid JSON/],
    ['nothing', '', /not valid JSON/],
    ['bytes that are not UTF-8', Uint8Array.of(0x22, 0xff, 0x22), /UTF-8/],
    ['NaN, which Python writes', '{"a":NaN}', /not valid JSON/],
    ['a byte order mark', '\ufeff{"a":1}', /begins with a byte order mark/],
  ];
  for (const [title, text, message] of refused) {
    it(`refuses ${title}`, () =>
      assert.throws(
        () => parse(text),
        (error) => error instanceof JsonProblem && message.test(error.message),
      ));
  }

  it('takes time in proportion to the text on quotes and backslashes', () => {
    parseBoundedJson(Buffer.from(JSON.stringify({ a: '\\"'.repeat(500_000) })), LIMITS);
    assert.throws(() => parse(`"${'\\"'.repeat(1_000_000)}`), JsonProblem);
  });

  it('shows text on one line', () => {
    assert.equal(printable('a\nb\u0000\u2028c', 10), 'a\\u000ab\\u0000\\u2028c');
    assert.equal(printable('abcdef', 3), 'abc…');
  });
});
