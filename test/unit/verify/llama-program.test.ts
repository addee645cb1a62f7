/** What llama.cpp's own program says, beside the texts of tokens. */
import assert from 'node:assert/strict';
import { compareText, failureIn, versionIn } from '../../../src/engine/verify/consumers/llama-program';

describe('the program of llama.cpp', () => {
  it('is compared by the text of each token; half a character is decided by the next one', () => {
    const texts = [' a', ' a \uFFFD', ' a é', ' a é.'];
    assert.deepEqual(compareText(' a é. And', texts), { tokens: 4, equal: true });
    assert.deepEqual(compareText(' a é! And', texts), { tokens: 4, equal: false, firstDifference: 3 });
    assert.deepEqual(compareText('a é.', texts), { tokens: 4, equal: false, firstDifference: 0 });
    assert.deepEqual(compareText(' a\r\nb', [' a', ' a\n']), { tokens: 2, equal: true });
    assert.deepEqual(compareText('x', []), { tokens: 0, equal: true });
  });

  it('says its version on either stream, in old and new words', () => {
    assert.equal(versionIn({ text: '', complained: 'version: 4589 (5f3a2c)\nbuilt with cc' }), '4589');
    assert.equal(versionIn({ text: 'version: 0.6.0-dev (build 0, commit unknown)', complained: '' }), '0.6.0-dev');
    assert.equal(versionIn({ text: '', complained: 'unknown argument' }), undefined);
  });

  it('says what failed, and which program is meant where it only chats', () => {
    const failed = (complained: string): string => failureIn({ code: 1, text: '', complained });
    assert.match(failed('warning: no usable GPU\nerror: invalid argument: -no-cnv\n'), /only chats; llama-completion/);
    assert.equal(failed('loading\nerror: failed to open x\n'), 'error: failed to open x');
    assert.equal(failed(''), 'it ended with 1');
  });
});
