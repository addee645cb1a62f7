/** The section of measured numbers in a model card: only it changes, and only in checkpoints that Coppice wrote. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import type { BeforeAfter } from '../../../src/engine/records/before-after/before-after';
import { cardSection, updateCard, withoutSection, withSection } from '../../../src/engine/records/card-section';
import { newRecord, writeRecord } from '../../../src/engine/records/record';
import { Contents } from '../../../src/recipes/content';
import { temporaryFolder } from '../../support/temporary';
import { writeTinyCheckpoint } from '../../support/tiny-models';

const found = (ppl: number): BeforeAfter => ({
  subject: 'short',
  judged: 1,
  models: ['whole', 'short'],
  rows: [
    {
      measure: 'ppl',
      name: 'Perplexity',
      cells: [
        { value: 20, text: '20', change: '' },
        { value: ppl, text: String(ppl), change: `${ppl / 20}×` },
      ],
      of: 'prose.txt',
    },
  ],
  samples: [
    {
      prompt: 'Once',
      of: 'greedy',
      texts: [
        { text: ' <!-- coppice: end -->\n# a heading', repetition: 0 },
        { text: ` ${'again '.repeat(200)}`, repetition: 0.9 },
      ],
    },
  ],
  ran: [],
  missing: [{ kind: 'speed', what: 'speed of short', command: 'coppice bench short' }],
});

const RECORD = newRecord({ kind: 'prune', started: new Date(), inputs: [], settings: {}, results: {} });

describe('the section of a model card', () => {
  const card = '---\ntags:\n- pruned\n---\n# Short\n\nBy hand: é <!-- mine -->\n';

  it('stands at the end, is replaced in place, and can be taken out again', () => {
    const once = withSection(card, 'first');
    assert.ok(once.startsWith(card));
    const edited = `${once}\nMore, written later.\n`;
    const twice = withSection(edited, 'second $& $1');
    assert.equal(twice.replace('second $& $1', 'first'), edited);
    assert.equal(withoutSection(twice), `${card}\nMore, written later.\n`);
    assert.equal(withoutSection(card), card);
  });

  it('has the numbers and short samples, whose text ends no section and begins no heading', () => {
    const section = cardSection(found(30));
    assert.match(section, /^## Before and after\n/);
    assert.match(section, /\| Perplexity \| 20 \| 30 \(1\.5×\) \| prose\.txt \|/);
    assert.match(section, /repetition 90 % \(it repeats itself\)/);
    assert.ok(section.length < 1200, String(section.length));
    assert.doesNotMatch(section, /bench|^# a heading/m);
    assert.equal(withoutSection(withSection(card, section)), card);
  });

  it('is written into a checkpoint that Coppice made, and into nothing else of it', async () => {
    const folder = join(temporaryFolder(), 'short');
    mkdirSync(folder);
    writeTinyCheckpoint(folder, 'llama-gqa-tied');
    const file = join(folder, 'README.md');
    writeFileSync(file, card);
    const checkpoint = await openCheckpoint(folder);
    assert.equal(await updateCard(checkpoint, found(30)), undefined, 'no record says that Coppice made it');
    assert.equal(readFileSync(file, 'utf8'), card);
    await writeRecord(join(folder, 'coppice.json'), RECORD);
    const files = (): string[] => readdirSync(folder).sort();
    const before = files();
    const contents = await Contents.open(join(temporaryFolder(), 'digests.json'));
    const { digest } = await contents.of(folder);
    assert.equal(await updateCard(checkpoint, found(30)), file);
    assert.equal(await updateCard(checkpoint, found(31)), file);
    assert.match(readFileSync(file, 'utf8'), /\| 31 \(1\.55×\) \|/);
    assert.equal(withoutSection(readFileSync(file, 'utf8')), card);
    assert.deepEqual(files(), before);
    assert.equal((await contents.of(folder)).digest, digest, 'a recipe still knows its output');
    writeFileSync(file, `${card}more`);
    assert.notEqual((await contents.of(folder)).digest, digest);
  });

  it('leaves a card alone that is a link or not a text', async () => {
    const folder = join(temporaryFolder(), 'linked');
    mkdirSync(folder);
    writeTinyCheckpoint(folder, 'llama-gqa-tied');
    await writeRecord(join(folder, 'coppice.json'), RECORD);
    const elsewhere = join(temporaryFolder(), 'card.md');
    writeFileSync(elsewhere, card);
    const file = join(folder, 'README.md');
    const checkpoint = await openCheckpoint(folder);
    assert.equal(await updateCard(checkpoint, found(30)), undefined, 'there is none');
    symlinkSync(elsewhere, file);
    assert.equal(await updateCard(checkpoint, found(30)), undefined);
    assert.equal(readFileSync(elsewhere, 'utf8'), card);
  });
});
