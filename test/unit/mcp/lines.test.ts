/** Messages that are too long are left out, and those around them arrive. */
import assert from 'node:assert/strict';
import { Lines, MOST_BYTES } from '../../../src/mcp/lines';

describe('lines of a client', () => {
  it('arrive whole, in pieces of any size, without those that are too long', async () => {
    const long: unknown[] = [];
    const lines = new Lines((id) => long.push(id));
    let text = '';
    lines.on('data', (line: Buffer) => (text += line.toString()));
    const padded = 'x'.repeat(MOST_BYTES);
    const messages = [
      '{"a":1}',
      `{"params":{"id":9,"text":"${padded}"},"jsonrpc":"2.0","id":7}`,
      '{"b":"ä"}',
      `{"jsonrpc":"2.0","id":"seven","params":"${padded}"}`,
      `{"params":{"id":9,"text":"${padded}"}}`,
      '{"c":3}',
    ];
    const bytes = Buffer.from(`${messages.join('\n')}\n`);
    for (let at = 0; at < bytes.length; at += 65_537) lines.write(bytes.subarray(at, at + 65_537));
    await new Promise<void>((done) => lines.end(done));
    assert.equal(text, '{"a":1}\n{"b":"ä"}\n{"c":3}\n');
    assert.deepEqual(long, [7, 'seven', undefined]);
  });
});
