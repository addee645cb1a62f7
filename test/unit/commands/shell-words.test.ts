/** Words in the quotes of each shell. */
import assert from 'node:assert/strict';
import { shellOf } from '../../../src/format/shell';
import { quotedForPasting } from '../../../src/host/shell-words';

describe('the words of a shell', () => {
  it('are those of the terminal that VS Code opens', () => {
    assert.equal(shellOf('/bin/zsh'), 'posix');
    assert.equal(shellOf('/usr/bin/pwsh'), 'powershell');
    assert.equal(shellOf('C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe'), 'powershell');
    assert.equal(shellOf('C:\\Windows\\System32\\cmd.exe'), 'cmd');
    assert.equal(shellOf('C:\\Program Files\\Git\\bin\\bash.exe'), 'posix');
    assert.equal(shellOf(''), 'posix');
  });

  it('are in quotes where they must be', () => {
    assert.equal(quotedForPasting('4,5', 'posix'), '4,5');
    assert.equal(quotedForPasting("it's $5", 'posix'), "'it'\\''s $5'");
    assert.equal(quotedForPasting('', 'posix'), "''");
    assert.equal(quotedForPasting('4,5', 'powershell'), "'4,5'");
    assert.equal(quotedForPasting("C:\\it's", 'powershell'), "'C:\\it''s'");
    assert.equal(quotedForPasting('C:\\models\\one', 'powershell'), 'C:\\models\\one');
    assert.equal(quotedForPasting('4,5', 'cmd'), '"4,5"');
    assert.equal(quotedForPasting('C:\\my models\\', 'cmd'), '"C:\\my models\\\\"');
    assert.equal(quotedForPasting('he said "no"', 'cmd'), '"he said \\"no\\""');
  });
});
