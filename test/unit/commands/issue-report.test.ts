/** What an issue says, and what it must never say: where somebody's files are, and who somebody is. */
import assert from 'node:assert/strict';
import { issueText, tellableSettings } from '../../../src/host/issue-report';
import { withoutPrivate } from '../../../src/host/private-text';

const NAMES = {
  paths: ['/people/maria/My Models', '/people/maria', 'C:\\People\\Maria B\\models'],
  names: ['maria', 'marias-laptop', 'x'],
};
const clean = (text: string): string => withoutPrivate(text, NAMES);

describe('private text', () => {
  it('has no paths: known ones with blanks, and unknown ones', () => {
    const texts = {
      'scored /people/maria/My Models/oak by ppl in 3.2 s': 'scored <path> by ppl in 3.2 s',
      'cannot open /srv/secret/oak.gguf: gone.': 'cannot open <path>: gone.',
      'file:///people/maria/notes.txt is long': '<path> is long',
      'C:\\People\\Maria B\\models\\oak\\model.safetensors failed': '<path> failed',
      'D:\\data\\customers.txt failed': '<path> failed',
      '\\\\server\\share\\oak failed': '<path> failed',
      '"/srv/My Secret/oak" is not a folder': '"<path>" is not a folder',
      '“clients/big deal.txt” cannot be read': '“<path>” cannot be read',
      'see https://example.com/u/maria?key=1 for it': 'see <path> for it',
      'opens ../clients/acme and ~/models': 'opens <path> and <path>',
    };
    for (const [text, expected] of Object.entries(texts)) assert.equal(clean(text), expected);
  });

  it('has no names and no keys', () => {
    assert.equal(clean('Maria on marias-laptop, maria@example.com'), '<name> on <name>, <name>');
    assert.equal(clean('token hf_abcdefghijkl, Bearer abc.def'), 'token <key>, <key>');
  });

  it('leaves numbers, rates and words', () => {
    const text = '[info] score ends after 8.2 s: 41.5 tokens/s, block 4 of 30; marian x 2';
    assert.equal(clean(text), text);
  });
});

describe('an issue', () => {
  it('has versions, device, settings and the last lines of the log', () => {
    const log = Array.from({ length: 100 }, (_, n) => `line ${n} of /people/maria/a`).join('\n');
    const versions = [['Coppice', '1.2.3']] as const;
    const text = issueText(
      { versions, device: 'cpu (asked by maria)', settings: [['coppice.threads', '2']], log },
      NAMES,
    );
    for (const part of [
      '- Coppice: 1.2.3',
      '- device: cpu (asked by <name>)',
      '- coppice.threads: 2',
      'line 99 of <path>',
    ])
      assert.ok(text.includes(part), part);
    assert.doesNotMatch(text, /maria|line 39 /i);
    assert.match(issueText({ versions, device: undefined, settings: [], log: '' }, NAMES), /nothing was computed/);
  });

  it('has settings that cannot hold a text, if they were changed', () => {
    const properties = {
      'coppice.threads': { type: 'integer', default: 0 },
      'coppice.same': { type: 'boolean', default: true },
      'coppice.device': { type: 'string', enum: ['auto', 'cpu'], default: 'auto' },
      'coppice.keep': { type: 'string', default: '' },
      'coppice.cluster': { type: 'object', default: null },
    };
    const values: Record<string, unknown> = {
      'coppice.threads': 2,
      'coppice.same': true,
      'coppice.device': 'cpu',
      'coppice.keep': '/people/maria',
      'coppice.cluster': { folder: '/home' },
    };
    assert.deepEqual(
      tellableSettings(properties, (name) => values[name]),
      [
        ['coppice.threads', '2'],
        ['coppice.device', 'cpu'],
      ],
    );
  });
});
