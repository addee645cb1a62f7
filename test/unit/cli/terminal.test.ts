/** What the terminal shows: colours, widths, progress lines and text that cannot harm it. */
import assert from 'node:assert/strict';
import { terminalFeaturesOf } from '../../../src/cli/terminal/features';
import { progressLine } from '../../../src/cli/terminal/progress-line';
import { styleOf } from '../../../src/cli/terminal/style';
import { formatSeconds } from '../../../src/format/durations';
import { formatBytes, formatNumber } from '../../../src/format/numbers';
import { plainSigns, shown, table } from '../../../src/cli/terminal/text';

const tty = { isTTY: true, columns: 60 };
const utf8 = { LANG: 'en_US.UTF-8' };

describe('command line: terminal', () => {
  it('colours a terminal only, and only if nobody objects', () => {
    const colour = (stream: object, env: Record<string, string>, wanted = true): boolean =>
      terminalFeaturesOf(stream, env, wanted, 'linux').colour;
    assert.equal(colour(tty, utf8), true);
    assert.equal(colour({}, utf8), false);
    assert.equal(colour(tty, { ...utf8, NO_COLOR: '1' }), false);
    assert.equal(colour(tty, { ...utf8, NO_COLOR: '' }), true);
    assert.equal(colour(tty, { ...utf8, TERM: 'dumb' }), false);
    assert.equal(colour(tty, utf8, false), false);
    assert.equal(styleOf({ colour: false }).red('x'), 'x');
    assert.equal(styleOf({ colour: true }).red('x'), '\u001b[31mx\u001b[39m');
  });

  it('knows where Unicode is shown', () => {
    const unicode = (env: Record<string, string>, platform: NodeJS.Platform = 'linux'): boolean =>
      terminalFeaturesOf(tty, env, true, platform).unicode;
    assert.equal(unicode(utf8), true);
    assert.equal(unicode({ LANG: 'C.utf8' }), true);
    assert.equal(unicode({}), false);
    assert.equal(unicode({ ...utf8, LC_ALL: 'C' }), false); // the first that is set decides
    assert.equal(unicode({ ...utf8, LC_ALL: '' }), true);
    assert.equal(unicode({}, 'win32'), false);
    assert.equal(unicode({ WT_SESSION: 'x' }, 'win32'), true);
  });

  it('never lets foreign text steer the terminal, and leaves a pipe alone', () => {
    const evil = 'a\u001b[2Jb\u009bc\u0007\té\n';
    assert.equal(shown(evil, { terminal: true, unicode: true }), 'a\\u001b[2Jb\\u009bc\\u0007\té\n');
    const turned = 'exe\u202etxt.\u2066\u061c\u2029';
    assert.equal(shown(turned, { terminal: true, unicode: true }), 'exe\\u202etxt.\\u2066\\u061c\\u2029');
    assert.equal(shown('é😀', { terminal: true, unicode: false }), '\\u00e9\\ud83d\\ude00');
    assert.equal(shown(evil, { terminal: false, unicode: false }), evil);
    const json = JSON.stringify({ text: evil });
    assert.deepEqual(JSON.parse(shown(json, { terminal: true, unicode: false })), { text: evil });
    assert.equal(plainSigns('10 → 5, −50 %…', { unicode: false }), '10 -> 5, -50 %...');
  });

  it('writes numbers as people do', () => {
    assert.deepEqual([0, 999, 1000, 999_950, 269_060_552].map(formatBytes), [
      '0 B',
      '999 B',
      '1.0 kB',
      '1.0 MB',
      '269.1 MB',
    ]);
    assert.deepEqual([0.52, 12.4, 59.99, 75, 3725, NaN].map(formatSeconds), [
      '0.5 s',
      '12 s',
      '1:00',
      '1:15',
      '1:02:05',
      '?',
    ]);
    assert.deepEqual(
      [15.59321234, 0, 1.0854e65, 0.00001, Infinity].map((n) => formatNumber(n)),
      ['15.5932', '0', '1.09e+65', '1.00e-5', 'Infinity'],
    );
    assert.deepEqual(
      table(
        ['name', '>n'],
        [
          ['a', '1'],
          ['long', '10'],
        ],
      ),
      ['name   n', 'a      1', 'long  10'],
    );
  });

  it('rewrites one line in a terminal, with how far it is and the time left', () => {
    let text = '';
    let time = 0;
    const features = { ...terminalFeaturesOf(tty, utf8, true, 'linux'), columns: 200 };
    const { report, clear } = progressLine(
      (t) => (text += t),
      features,
      () => time,
    );
    for (let done = 0; done <= 50; done += 10) {
      report({ label: 'scoring', done, total: 100, unit: 'windows' });
      time += 1000;
    }
    clear();
    assert.ok(!text.includes('\n'));
    const line = 'scoring · 50 % · about 0:05 left';
    assert.ok(text.endsWith(`\r\u001b[K${line}\r\u001b[K`), text);
    clear();
    assert.ok(text.endsWith('left\r\u001b[K')); // nothing to clear any more
  });

  it('tells no time left from a pace that means nothing for the rest', () => {
    let text = '';
    let time = 0;
    const { report } = progressLine(
      (t) => (text = t),
      { ...terminalFeaturesOf(tty, utf8, true, 'linux'), columns: 200, unicode: false },
      () => (time += 1000),
    );
    for (const done of [1, 2]) report({ label: 'encoding', done, total: 100, unit: 'share', unpaced: true });
    assert.ok(text.endsWith('encoding . 2 %'), text);
    for (const done of [3, 4]) report({ label: 'training', done, total: 100, unit: 'share' });
    assert.ok(text.endsWith('training . 4 % . about 1:36 left'), text); // by what was done since, not by the encoding
  });

  it('fits the line into the terminal', () => {
    let text = '';
    const { report } = progressLine((t) => (text = t), terminalFeaturesOf(tty, utf8, true, 'linux'));
    report({ label: 'x'.repeat(300), done: 1, total: 2, unit: 'windows' });
    assert.equal(text.length, '\r\u001b[K'.length + 59);
  });

  it('writes few plain lines into a pipe, and measures each phase by itself', () => {
    let text = '';
    let time = 0;
    const { report } = progressLine(
      (t) => (text += t),
      terminalFeaturesOf({}, utf8, true, 'linux'),
      () => time,
    );
    for (let done = 0; done <= 100; done++) {
      report({ label: 'scoring', done, total: 100, unit: 'windows' });
      time += 100;
    }
    time += 5000;
    report({ label: 'writing', done: 0, total: 4e6, unit: 'bytes' });
    time += 4000;
    report({ label: 'writing', done: 2e6, total: 4e6, unit: 'bytes' });
    const lines = text.trimEnd().split('\n');
    assert.equal(lines.length, 6);
    assert.equal(lines[1], 'scoring · 30 % · about 0:07 left');
    assert.equal(lines[4], 'writing · 0 %');
    assert.equal(lines[5], 'writing · 50 % · about 0:04 left');
    assert.ok(!text.includes('\r') && !text.includes('\u001b'));
  });
});
