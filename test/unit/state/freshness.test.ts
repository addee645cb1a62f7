/** Scores in the tree: bars of their order, and whether they still hold. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Memento } from '../../../src/state/memento';
import type { ScoreResult } from '../../../src/jobs/results/score';
import { Freshnesses, freshnessWords } from '../../../src/state/freshness';
import { barOf, placesOf } from '../../../src/state/words/score-bars';
import { ScoreStore } from '../../../src/state/scores';

class Store implements Memento {
  readonly values = new Map<string, unknown>();
  get = (key: string): unknown => this.values.get(key);
  update(key: string, value: unknown): Promise<void> {
    this.values.set(key, JSON.parse(JSON.stringify(value)));
    return Promise.resolve();
  }
}

const subject = { path: '/models/one', identity: 'abc', blocks: 3 };
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

describe('the bars of scores', () => {
  const bars = (scores: Parameters<typeof placesOf>[0], blocks: number): string =>
    Array.from({ length: blocks }, (_, block) => placesOf(scores).get(block))
      .map((place) => (place ? barOf(place) : ' '))
      .join('');

  it('rise with the importance, whatever its scale, and end with what was not measured', () => {
    assert.equal(bars({ blocks: [62_074, 43, 44, 900] }, 4), '█▁▃▆');
    assert.equal(bars({ blocks: ['NaN', 2, 'Infinity', 1] }, 4), '█▃▆▁');
    assert.equal(bars({ blocks: Array.from({ length: 8 }, (_, i) => i) }, 8), '▁▂▃▄▅▆▇█');
    assert.equal(bars({ blocks: [5] }, 1), '▁');
  });

  it('follow the removals of a search, and are absent where it removed nothing', () => {
    assert.equal(bars({ removals: [2, 0] }, 4), '█ ▁ ');
    assert.equal(bars({}, 2), '  ');
  });
});

describe('the freshness of scores', () => {
  let folder: string;
  let file: string;
  let store: ScoreStore;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'coppice-fresh-'));
    file = join(folder, 'calibration.txt');
    writeFileSync(file, 'one text');
    store = new ScoreStore(new Store());
    const calibration = { source: 'calibration.txt', sha256: sha256('one text'), samples: 2, length: 8, seed: 0 };
    const blocks = [3, 1, 2].map((score, index) => ({ index, score }));
    const result = {
      criterion: 'ppl',
      model: { name: 'one', path: '/models/one', identity: 'abc' },
      blocks,
      calibration,
    };
    store.add('/models/one', result as unknown as ScoreResult, null, { file });
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const words = async (identity = 'abc'): Promise<string | undefined> => {
    const found = await new Freshnesses(store).of({ ...subject, identity });
    return found && freshnessWords(found, 'today');
  };

  it('holds while model and text are the same, also if the text is gone', async () => {
    assert.equal(await words(), 'ppl on calibration.txt, today');
    rmSync(file);
    assert.equal(await words(), 'ppl on calibration.txt, today');
  });

  it('ends with another text of the same name, and begins again with the old one', async () => {
    const freshnesses = new Freshnesses(store);
    assert.equal((await freshnesses.of(subject))?.changed, undefined);
    writeFileSync(file, 'another text');
    assert.equal((await freshnesses.of(subject))?.changed, 'text');
    assert.equal(await words(), 'ppl is stale: calibration.txt has changed');
    writeFileSync(file, 'one text');
    assert.equal(await words(), 'ppl on calibration.txt, today');
  });

  it('ends with other files of the model', async () => {
    assert.equal(await words('other'), 'ppl is stale: the files of the model have changed');
    store.forget('/models/one');
    assert.equal(await words('other'), undefined);
  });
});
