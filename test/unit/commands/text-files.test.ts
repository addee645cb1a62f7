/** Which files are offered as texts, and which of them flatter a model. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFileSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { flatteryOf, scoringTextsOf } from '../../../src/host/ask/scoring-texts';
import { type TextUse, usableTexts } from '../../../src/host/ask/text-files';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import { writePruned } from '../../../src/engine/write/write-pruned';
import { Plans } from '../../../src/state/plan';
import { ScoreStore } from '../../../src/state/scores';
import { subjectOf } from '../../../src/state/subject';
import { temporaryFolder } from '../../support/temporary';
import { tinyCheckpoint } from '../../support/tiny-models';

const ALPACA = JSON.stringify([{ instruction: 'Say yes.', input: '', output: 'Yes.' }]);

describe('texts that are offered', () => {
  const folder = temporaryFolder();
  const files: Readonly<Record<string, string>> = {
    'data/prose.txt': 'The river bends.',
    'data/empty.txt': ' \n',
    'data/alpaca.json': ALPACA,
    'data/rows.json': '{"model": "x", "rows": [[1, 2]]}',
    'data/documents.jsonl': '\uFEFF{"id": 1, "text": "The mill."}\n',
    'data/chat.jsonl': '{"messages": [{"role": "user", "content": "Hi"}]}\n',
    'data/batches.json': '{"batches": [{"ids": [1], "labels": [1]}]}',
    'data/vocab.json': '{"text": 12}',
    'data/numbers.json': '{"text": 12}',
    'notes.md': '# Notes',
    'README.md': '# Project',
    LICENSE: 'free',
    'LICENSE.txt': 'free',
    'requirements.txt': 'numpy',
    'models/one/README.md': '# Model',
    'models/one/SOURCE.txt': 'from there',
    'models/one/corpus/text.txt': 'deeper',
  };
  const offered = async (use: TextUse, modelFolders = [join(folder, 'models', 'one')]): Promise<string[]> => {
    const paths = Object.keys(files).map((name) => join(folder, name));
    return (await usableTexts([...paths, join(folder, 'gone.txt')], use, modelFolders)).map((path) =>
      relative(folder, path).replaceAll('\\', '/'),
    );
  };
  before(() => {
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), content);
    }
  });

  it('are those that scoring can take', async () => {
    assert.deepEqual(await offered('calibration'), [
      ...['data/documents.jsonl', 'data/prose.txt', 'data/rows.json', 'notes.md'],
    ]);
  });

  it('are those that training can take', async () => {
    assert.deepEqual(await offered('training'), [
      ...['data/alpaca.json', 'data/batches.json', 'data/chat.jsonl', 'data/documents.jsonl', 'data/prose.txt'],
      'notes.md',
    ]);
  });

  it('are no files of models; what is about a project is only measured on, and comes last', async () => {
    const texts = (names: readonly string[]): string[] => names.filter((name) => name.startsWith('models'));
    assert.deepEqual(texts(await offered('calibration')), []);
    const all = await offered('evaluation', []);
    assert.deepEqual(texts(all), ['models/one/corpus/text.txt', 'models/one/README.md', 'models/one/SOURCE.txt']);
    assert.deepEqual(all.slice(-3), ['models/one/README.md', 'models/one/SOURCE.txt', 'README.md']);
  });
});

describe('a text that scored a model', () => {
  const store = (): { get: () => undefined; update: () => Promise<void> } => ({
    get: () => undefined,
    update: () => Promise.resolve(),
  });

  it('is known by its bytes, for the model and for what was made from it', async () => {
    const folder = temporaryFolder();
    const [text, copy, other] = ['text.txt', 'copy.txt', 'other.txt'].map((name) => join(folder, name));
    writeFileSync(text, 'The river bends.');
    copyFileSync(text, copy);
    writeFileSync(other, 'The mill stands.');
    const sha256 = createHash('sha256').update('The river bends.').digest('hex');

    const model = tinyCheckpoint('llama-plain');
    const checkpoint = await openCheckpoint(model);
    const subject = subjectOf(model, checkpoint)!;
    const [plans, scores] = [new Plans(store()), new ScoreStore(store())];
    const nothing = await scoringTextsOf({ plans, scores }, { subject, checkpoint });
    assert.equal(await flatteryOf(text, nothing), undefined);

    const calibration = { source: 'text.txt', sha256, samples: 1, length: 2, seed: 1, method: 'windows' } as const;
    const { identity } = checkpoint;
    scores.add(
      model,
      {
        criterion: 'ppl',
        model: { name: 'm', path: model, identity },
        full: null,
        calibration,
        blocks: [0, 1, 2, 3].map((index) => ({ index, score: index })),
        seconds: 1,
        device: 'cpu',
        peakRssBytes: 1,
      },
      null,
    );
    const scored = await scoringTextsOf({ plans, scores }, { subject, checkpoint });
    assert.match((await flatteryOf(copy, scored)) ?? '', /^used to score the blocks/);
    assert.equal(await flatteryOf(other, scored), undefined);
    assert.equal(await flatteryOf(join(folder, 'gone.txt'), scored), undefined);

    let parent = checkpoint;
    for (const [name, inputs] of [
      ['child', [{ role: 'calibration', name: 'text.txt', sha256 }]],
      ['grandchild', []], // chosen by hand
    ] as const) {
      const { out } = await writePruned(parent, [1], join(folder, name), { provenance: { inputs } });
      parent = await openCheckpoint(out);
      const chose = await scoringTextsOf({ plans, scores }, { subject: subjectOf(out, parent)!, checkpoint: parent });
      assert.match((await flatteryOf(text, chose)) ?? '', /^used to choose the removed blocks/, name);
    }
    appendFileSync(text, ' It bends again.');
    assert.equal(await flatteryOf(text, scored), undefined);
  });
});
