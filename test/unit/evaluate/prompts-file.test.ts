/** Files of prompts in every layout, and what is wrong with others. */
import assert from 'node:assert/strict';
import { parsePrompts } from '../../../src/engine/evaluate/prompts-file';

describe('a file of prompts', () => {
  it('is a text, a JSON list or JSON lines', () => {
    assert.deepEqual(parsePrompts('a b\r\n\n  c \n', 'p.txt'), ['a b', '  c ']);
    assert.deepEqual(parsePrompts('["a", {"prompt": "b\\nc"}]', 'p.json'), ['a', 'b\nc']);
    assert.deepEqual(parsePrompts('{"prompts": ["a"]}', 'p.JSON'), ['a']);
    assert.deepEqual(parsePrompts('{"prompt": "a", "id": 3}\n\n"b"\n', 'p.jsonl'), ['a', 'b']);
  });

  it('names the file and the place of what cannot be read', () => {
    const refused = (text: string, file: string, why: RegExp): void =>
      assert.throws(() => parsePrompts(text, file), {
        name: 'UserError',
        message: new RegExp(`${file}.*${why.source}`),
      });
    refused('{"prompt": "a"}\n{"text": "b"}', 'p.jsonl', /line 2 is neither/);
    refused('"a"\nb', 'p.jsonl', /line 2 is not JSON/);
    refused('["a", " "]', 'p.json', /record 2 is empty/);
    refused('{"a": 1}', 'p.json', /neither a list/);
  });
});
