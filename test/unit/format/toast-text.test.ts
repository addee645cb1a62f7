/** What a notification says: no stack, no absolute path, no regular expression, and not too much. */
import assert from 'node:assert/strict';
import { toastText } from '../../../src/format/toast-text';

const folders = { workspace: ['/home/me/my work', 'C:\\Users\\me\\work'], others: ['/home/me', '/tmp'] };
const said = (text: string): string => toastText(text, folders);

const PATTERN =
  '"\'(?:s|t|re|ve|m|ll|d)| ?\\\\p{L}+| ?\\\\p{N}{1,3}| ?[^\\\\p{White_Space}\\\\p{L}\\\\p{N}]+|\\\\p{White_Space}*[\\\\r\\\\n]+"';

describe('the text of a notification', () => {
  it('names files from the workspace, and others by their folder', () => {
    assert.equal(said('/home/me/my work/a/b.json cannot be read: x.'), 'a/b.json cannot be read: x.');
    assert.equal(said('/srv/models/smol/tokenizer.json: it is empty.'), '…/smol/tokenizer.json: it is empty.');
    assert.equal(said('There is no /home/me/models/smol.'), 'There is no …/models/smol.');
    assert.equal(said('“/opt/a/b/c” is a folder'), '“…/b/c” is a folder');
    assert.equal(said('C:\\Users\\me\\work\\m\\config.json is odd'), 'm\\config.json is odd');
    assert.equal(said('D:\\models\\smol\\config.json is odd'), '…/smol/config.json is odd');
    assert.equal(said('see file:///srv/models/smol/a.json'), 'see …/smol/a.json');
  });

  it('leaves addresses, rates, and relative paths', () => {
    for (const text of [
      'https://huggingface.co/a/b/resolve/main/x.json answered 404',
      '12 tokens/s, 3 of 4/8 blocks, q4/q8',
      './models/short is a file',
      'models/short/config.json: its field "hidden_size" is -1',
      'data/*.txt and [a/b/c]',
    ])
      assert.equal(said(text), text);
  });

  it('leaves out patterns and stacks, and cuts what is long', () => {
    const refused = `/home/me/x/tokenizer.json cannot be written as GGUF: it cuts texts into words by the pattern ${PATTERN}, which llama.cpp has no name for.`;
    assert.equal(
      said(refused),
      '…/x/tokenizer.json cannot be written as GGUF: it cuts texts into words by the pattern “…”, which llama.cpp has no name for.',
    );
    assert.equal(said('It broke\n    at run (/srv/a/b.js:1:2)\n    at next (/srv/c/d.js:3:4)'), 'It broke');
    assert.equal(said('"max_position_embeddings" is "none"'), '"max_position_embeddings" is "none"');
    const long = said(`${'word '.repeat(200)}end.`);
    assert.ok(long.length <= 410 && long.endsWith('word …'), long);
  });

  it('has no link to a command or a page, which a name might be', () => {
    const links = /\[[^\]]+\]\((command|https?|file):/i;
    for (const address of ['command:workbench.action.quit', 'https://example.com/a', 'file:///srv/a/b.sh']) {
      const text = said(`Exported [Trust](${address}) and compared it.`);
      assert.doesNotMatch(text, links);
      assert.match(text, /^Exported \[Trust\].\(\S+\) and compared it\.$/u);
    }
  });
});
