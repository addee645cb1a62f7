/** `--application` on the sample model: each job reads its own rows, and the records say which. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { TEXT_SPLITS, type TextSplit } from '../../src/format/text-share';
import { splitText } from '../../src/engine/application/text';
import { loadRows } from '../../src/engine/evaluate/rows';
import { requireArchitecture, openCheckpoint } from '../../src/engine/checkpoint/open';
import { loadCalibration } from '../../src/engine/importance/calibration';
import type { RunRecord } from '../../src/engine/records/record';
import { loadTrainingData } from '../../src/engine/retrain/data/load';
import { loadTokenizer } from '../../src/engine/tokenizer/tokenizer';
import { buildCli, coppice } from '../support/built-cli';
import { temporaryFolder } from '../support/temporary';

const sample = resolve(import.meta.dirname, '../../media/sample');

/** Every record has a number of its own, which rows of it show. */
function applicationFolder(): string {
  const folder = join(temporaryFolder(), 'chats');
  mkdirSync(join(folder, 'notes'), { recursive: true });
  const about = (i: number): string => Array.from({ length: 12 }, (_, n) => `The cat ${i} sat on mat ${n}.`).join(' ');
  const chats = Array.from({ length: 60 }, (_, i) => ({
    messages: [
      { role: 'user', content: `Tell me the story of the cat ${i}, who lived by the sea.` },
      { role: 'assistant', content: about(i) },
    ],
  }));
  writeFileSync(join(folder, 'log.jsonl'), chats.map((chat) => JSON.stringify(chat)).join('\n'));
  const notes = Array.from({ length: 120 }, (_, i) => `Note ${i + 100}. ${about(i + 100)}`);
  writeFileSync(join(folder, 'notes', 'notes.md'), notes.join('\n\n'));
  writeFileSync(join(folder, 'logo.png'), 'no text');
  return folder;
}

/** Numbers of the cats in a text. */
const catsIn = (text: string): Set<string> => new Set(Array.from(text.matchAll(/cat (\d+)/g), ([, number]) => number));

describe('--application', function () {
  this.timeout(240_000);
  const folder = applicationFolder();

  before(buildCli);

  it('gives each job rows that no other job has', async () => {
    const checkpoint = await openCheckpoint(sample);
    const architecture = requireArchitecture(checkpoint);
    const tokenizer = await loadTokenizer(sample);
    const { vocabulary, bosTokenId } = architecture;
    const texts = new Map<TextSplit, string>();
    for (const split of TEXT_SPLITS) {
      const { documents } = await splitText(folder, split, tokenizer);
      texts.set(split, documents.join('\n'));
    }
    const decode = async (rows: readonly ArrayLike<number>[]): Promise<string> =>
      (await Promise.all(rows.map((row) => tokenizer.decode(Array.from(row), { skipSpecialTokens: true })))).join('\n');
    const drawn = { samples: 12, length: 64, seed: 1, vocabulary, bosTokenId };
    const scored = await loadCalibration(folder, { ...drawn, share: 'calibration' }, tokenizer);
    const options = { length: 64, seed: 1, heldOut: 0, beginning: { mode: 'none' } } as const;
    const read = new Map<TextSplit, string>([['calibration', await decode(scored.rows)]]);
    for (const split of ['healing', 'training'] as const) {
      const { train } = await loadTrainingData(folder, { ...options, share: split }, tokenizer);
      read.set(split, await decode(train.map(({ ids }) => ids)));
    }
    const judged = await loadRows(
      { from: 'text', file: folder, window: 64, share: 'judging' },
      checkpoint,
      architecture,
      {},
    );
    read.set('judging', await decode(judged.rows));
    for (const split of TEXT_SPLITS) {
      const cats = [...catsIn(read.get(split)!)];
      assert.ok(cats.length > 3, `${split}: ${cats.length}`);
      // The last number of a row may be cut.
      const own = catsIn(texts.get(split)!);
      const whole = cats.filter((cat) => own.has(cat));
      assert.ok(whole.length > 3);
      for (const other of TEXT_SPLITS.filter((each) => each !== split)) {
        const both = [...own].filter((cat) => catsIn(texts.get(other)!).has(cat));
        assert.deepEqual(both, [], `${split} and ${other}`);
      }
    }
  });

  it('scores, heals, trains and judges, and its records name the split and the text', async () => {
    const out = temporaryFolder();
    const record = (name: string): string => join(out, `${name}.json`);
    const given = ['--application', folder, '--quiet'];
    const jobs: Readonly<Record<string, readonly string[]>> = {
      score: ['--criterion', 'taylor', '--samples', '2', '--length', '32'],
      heal: ['--remove', '4', '--tokens', '256', '--length', '32', '--patch', join(out, 'healed.patch.safetensors')],
      retrain: [
        '--remove',
        '4',
        '--heal',
        'none',
        '--steps',
        '1',
        '--batch',
        '1',
        '--length',
        '32',
        '--out',
        join(out, 'adapter'),
      ],
      eval: ['--limit', '2', '--window', '32'],
    };
    const found: Record<string, unknown> = {};
    const hashes = new Set<unknown>();
    for (const [job, words] of Object.entries(jobs)) {
      const run = await coppice([job, sample, ...words, ...given, '--record', record(job)]);
      assert.equal(run.code, 0, `${job}: ${run.stderr}`);
      const { inputs, options } = JSON.parse(readFileSync(record(job), 'utf8')) as RunRecord;
      const texts = inputs.filter(({ share }) => share !== undefined);
      assert.equal(texts.length, 1, job);
      found[job] = texts.map(({ role, name, share }) => [role, name, share]).flat();
      hashes.add(texts[0].sha256);
      assert.ok(String((options as { application?: unknown }).application).endsWith('chats'));
    }
    assert.deepEqual(found, {
      score: ['calibration', 'chats', 'calibration'],
      heal: ['data', 'chats', 'healing'],
      retrain: ['data', 'chats', 'training'],
      eval: ['text', 'chats', 'judging'],
    });
    assert.equal(hashes.size, 1);
  });

  it('says how the records are split, and what is left out', async () => {
    const { code, stderr } = await coppice(['eval', sample, '--limit', '1', '--window', '32', '--application', folder]);
    assert.equal(code, 0, stderr);
    assert.match(
      stderr,
      /chats has \d+ records: \d+ for calibration, \d+ for healing, \d+ for training, \d+ for judging/,
    );
    assert.match(stderr, /1 file left out: logo\.png \(it is of another type\)/);
    assert.match(stderr, /are read as plain text: the tokenizer has no chat template/);
  });

  it('is refused beside another text, where there is none, and where a split has too little', async () => {
    const short = join(temporaryFolder(), 'short.jsonl');
    writeFileSync(short, JSON.stringify({ prompt: 'Where is my parcel?' }));
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [['--application', folder, '--text', short], /'--application <path>' cannot be used with option '--text/],
      [['--application', folder, '--share', 'judge'], /cannot be used with option '--share/],
      [['--application', join(folder, 'nowhere')], /there is no such file or folder/],
      [['--application', short], /1 record: \d for calibration/],
    ];
    for (const [words, message] of cases) {
      const { code, stderr } = await coppice(['eval', sample, ...words]);
      assert.notEqual(code, 0);
      assert.match(stderr, message);
    }
    const none = await coppice(['retrain', sample, '--out', join(temporaryFolder(), 'none')]);
    assert.match(none.stderr, /retrain needs --data/);
  });

  it('is what every step of a new recipe reads', async () => {
    const recipe = join(temporaryFolder(), 'app.coppice.json');
    const drafted = await coppice(['init', sample, '--application', folder, '--out', recipe]);
    assert.equal(drafted.code, 0, drafted.stderr);
    assert.match(drafted.stdout, /chats has \d+ records: /);
    const planned = await coppice(['run', recipe, '--dry-run', '--json']);
    assert.equal(planned.code, 0, planned.stderr);
    const text = readFileSync(recipe, 'utf8');
    assert.equal(text.match(/"application": "\$\{application\}"/g)?.length, 5);
    assert.doesNotMatch(text, /"(calibration|share|text)":/);
  });
});
