/** Names and texts of others in Markdown: Markdown and HTML in them are shown as text. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '../../src/engine/checkpoint/open';
import { codeSpan, inline, quotation, table } from '../../src/engine/markdown';
import { modelCard as prunedCard } from '../../src/engine/write/card';
import { checkpointReduction } from '../../src/engine/checkpoint/reduction';
import { pruningWords, trainingLines } from '../../src/engine/records/ancestry';
import { digestRecord } from '../../src/jobs/digest/digest';
import { modelCard } from '../../src/engine/records/model-card';
import { ownTinyCheckpoint } from '../support/tiny-models';
import { curveRecord, retrainedRecord, samplesRecord, scoreRecord } from '../support/records';

const EVIL =
  '<img src=x onerror=alert(1)> | `code` [link](javascript:x) **bold** # a_b ~~no~~ https://e.x www.e.x &lt; $x$';

/** Signs that no backslash stands before, outside of code. */
function bare(markdown: string, sign: string): boolean {
  const outside = markdown.replace(/^```[^]*?^```$/gm, '').replace(/(?<!\\)(`+)[^`](?:[^]*?[^`])?\1(?!`)/g, '');
  return outside.replace(/\\[!-/:-@[-`{-~]/g, '').includes(sign);
}

describe('markdown', () => {
  it('takes a text of others as text: no tag, link, emphasis, code, cell, heading or entity', () => {
    const text = inline(EVIL);
    for (const sign of '<>|`[]*#_~&$') assert.ok(!bare(text, sign), `${sign} in ${text}`);
    assert.ok(text.includes('https\\://e.x www\\.e.x'));
    assert.equal(inline('SmolLM2-135M, 24 of 30 (blocks)'), 'SmolLM2-135M, 24 of 30 (blocks)', 'and leaves the rest');
    assert.equal(inline(' two\r\nlines\t\u2028three '), 'two lines three');
    assert.equal(inline('exe\u202etxt\u0007'), 'exe\\\\u202etxt\\\\u0007');
  });

  it('keeps code as it is, on one line, whatever backticks it has', () => {
    assert.equal(codeSpan('a<b>_c_.txt'), '`a<b>_c_.txt`');
    assert.equal(codeSpan('a`b'), '``a`b``');
    assert.equal(codeSpan('`a``b'), '``` `a``b ```');
    assert.equal(codeSpan('a\n\n# b'), '`a # b`');
    assert.equal(codeSpan(''), '`  `');
  });

  it('quotes lines without making lists, rules, headings or code of them', () => {
    const lines = ['- a', '+ b', '12. c', '3) d', '===', '---', '    e', '# f', '> g', '```', '', '| h |'];
    const quoted = ['\\- a', '\\+ b', '12\\. c', '3\\) d', '\\===', '\\---', `${'&nbsp;'.repeat(4)}e`];
    const more = ['\\# f', '\\> g', '\\`\\`\\`', '', '\\| h \\|'];
    assert.equal(quotation(lines.join('\n')), [...quoted, ...more].map((line) => `> ${line}`.trimEnd()).join('\n'));
    assert.equal(quotation('a\r\nb\rc'), '> a\n> b\n> c');
  });

  it('makes cells that stay in their table', () => {
    const lines = table(['a|b', ''], [['1\n2', '| 3']]).split('\n');
    assert.deepEqual(lines, ['| a\\|b |  |', '|---|---|', '| 1 2 | \\| 3 |']);
  });
});

describe('model cards', () => {
  /** Nothing that was told is markup; the card's own is. */
  function assertHarmless(card: string): void {
    const told = card.replace(/^---\n[^]*?\n---\n/, ''); // what the hub reads as YAML
    for (const sign of '<[]~$') assert.ok(!bare(told, sign), `${sign} in ${told}`);
  }

  it('of runs hold names, settings and texts of others as text', () => {
    const records = [scoreRecord(), curveRecord(), samplesRecord(), retrainedRecord()].map((record) => {
      const evil = JSON.parse(
        JSON.stringify(record)
          .replaceAll('prose.txt', JSON.stringify(EVIL).slice(1, -1))
          .replaceAll('toy', '<i>\\ntoy'),
      ) as typeof record;
      return digestRecord({ ...evil, settings: { ...evil.settings, note: EVIL, [EVIL]: 1 } });
    });
    const card = modelCard(records);
    assertHarmless(card);
    assert.match(card, /^## How \\<i\\> toy was pruned and measured\n/);
  });

  it('of pruned checkpoints do, in heading, sentences and settings', async () => {
    const folder = ownTinyCheckpoint('llama-plain');
    writeFileSync(join(folder, 'README.md'), '---\nlicense: mit\n---\n');
    const checkpoint = { ...(await openCheckpoint(folder)), folder: `/models/<img src=x onerror=alert(1)>|\`[x]` };
    const facts = { settings: { note: EVIL, list: [EVIL], [EVIL]: 1 }, inherited: [] };
    const card = prunedCard(checkpoint, checkpointReduction(checkpoint, [1]), facts);
    assertHarmless(card);
    assert.match(card, /^# \\<img src=x onerror=alert\(1\)\\>\\\|\\`\\\[x\\\], 3 of 4 blocks$/m);
    assert.match(card, /\| note \| \\<img src=x/);
  });

  it('of retrained checkpoints do, in what their records tell', () => {
    const record = {
      ...scoreRecord(),
      kind: 'retrain',
      inputs: [{ role: 'model', name: EVIL }],
      settings: { chosen: EVIL, criterion: EVIL },
      results: { removed: [1, '<b>'], data: { files: [{ file: EVIL, kind: EVIL }] } },
    };
    assertHarmless(pruningWords(EVIL, record)!);
    assertHarmless(trainingLines(record).join('\n'));
  });
});
