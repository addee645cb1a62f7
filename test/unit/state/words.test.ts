/** What jobs and devices look like in words. */
import assert from 'node:assert/strict';
import { atMost, guessedTime, markedTime, roughTime, summedTime } from '../../../src/estimates/words';
import { deviceLines } from '../../../src/state/words/device-words';
import { scoringSentence, unfitWords } from '../../../src/state/words/score-words';
import { progressLine, progressShort, stateLine } from '../../../src/state/words/progress-words';
import { jobTitle, titledJob } from '../../../src/jobs/titles';

const progress = { label: 'step 1 of 2: block 4 of 30', done: 75, total: 7129, unit: 'row-blocks' };

describe('jobs in words', () => {
  it('say what is done, how far it is and what is left, and no unit of the engine', () => {
    assert.equal(
      progressLine({ ...progress, perSecond: 25, secondsLeft: 280.2 }),
      'step 1 of 2: block 4 of 30 · 1 % · about 4:40 left',
    );
    assert.equal(progressLine(progress), 'step 1 of 2: block 4 of 30 · 1 %');
    assert.equal(progressShort({ ...progress, secondsLeft: 6.6 }), '1 % · about 0:07 left');
    assert.equal(progressLine({ ...progress, total: 0 }), progress.label);
  });

  it('wait behind others only, and prepare before there is progress', () => {
    assert.equal(stateLine({}, true), 'Waiting for its turn');
    assert.equal(stateLine({}, false), 'Preparing…');
    assert.equal(stateLine({ progress }, false), 'step 1 of 2: block 4 of 30 · 1 %');
  });

  it('name the model', () => {
    const checkpoint = '/models/SmolLM2-135M';
    const spec = { kind: 'score', checkpoint, criterion: 'magnitude' } as const;
    assert.equal(jobTitle(titledJob(spec)), 'Scoring SmolLM2-135M by magnitude');
    assert.equal(jobTitle({ kind: 'score', checkpoint }), 'Scoring SmolLM2-135M');
    assert.equal(
      jobTitle({ kind: 'retrain', checkpoint: `${checkpoint}/model.safetensors` }),
      'Retraining SmolLM2-135M',
    );
    const columns = [{ label: 'a', checkpoint }];
    assert.equal(
      jobTitle(titledJob({ kind: 'samples', columns, prompts: ['x'] })),
      'Generating samples with SmolLM2-135M',
    );
  });
});

describe('scores in words', () => {
  const scores = { criterion: 'ppl', identity: 'a', calibration: null, record: null, at: 0 } as const;
  const calibration = {
    source: 'novel.txt',
    sha256: 'b',
    samples: 5,
    length: 128,
    seed: 1,
    method: 'windows',
  } as const;

  it('name the text and how its rows begin, where that is known', () => {
    assert.equal(scoringSentence({ ...scores, calibration }), 'ppl, on novel.txt, 5 × 128 tokens');
    assert.equal(
      scoringSentence({ ...scores, calibration: { ...calibration, bos: 'window' } }),
      'ppl, on novel.txt, 5 × 128 tokens, BOS: window',
    );
  });

  it('mean little where the model does not fit the text', () => {
    const unfit = { rows: 4, ppl: 226, limit: 512 };
    assert.equal(unfitWords(scores), undefined);
    assert.match(
      unfitWords({ ...scores, unfit: { ...unfit, ppl: 900 } })!,
      /is 900, more than 512, which is beyond reason/,
    );
    assert.match(
      unfitWords({ ...scores, unfit: { ...unfit, other: { begins: true, ppl: 31 } } })!,
      /is 226, with a beg.* 31\./,
    );
    assert.match(
      unfitWords({ ...scores, unfit: { ...unfit, other: { begins: false, ppl: 31 } } })!,
      /without a begin.* 31\./,
    );
  });
});

describe('estimated times', () => {
  it('are no finer than they can be', () => {
    const seconds = [0.2, 9, 12, 44, 57, 78, 258, 598, 3028, 7790];
    assert.deepEqual(seconds.map(roughTime), [
      ...['a few seconds', 'a few seconds', '10 s', '40 s', '1:00', '1:20', '4:20', '10 min', '50 min', '2 h 10 min'],
    ]);
    // Nobody counts hours beyond a day.
    assert.deepEqual([23.9 * 3600, 29 * 3600, 139 * 3600].map(roughTime), ['1 day', '1 day 5 h', '6 days']);
  });

  it('that nothing has measured are a range, whose end counts', () => {
    const seconds = [0.2, 7, 9, 12, 40, 78, 280, 1500, 3028, 7790, 29 * 3600, 139 * 3600];
    assert.deepEqual(seconds.map(guessedTime), [
      'a few seconds',
      'a few seconds',
      'roughly 5 to 20 s',
      'roughly 5 to 25 s',
      'roughly 20 to 80 s',
      'roughly 40 s to 3 min',
      'roughly 2 to 9 min',
      'roughly 13 to 50 min',
      'roughly 25 min to 2 h',
      'roughly 1 to 4 h',
      'roughly 15 h to 2 days',
      'roughly 3 to 12 days',
    ]);
    assert.deepEqual([atMost({ seconds: 80, measured: true }), atMost({ seconds: 80, measured: false })], [80, 160]);
  });

  it('of several steps are a range as soon as one that counts was not measured', () => {
    const measured = (seconds: number) => ({ seconds, measured: true });
    const guessed = (seconds: number) => ({ seconds, measured: false });
    assert.equal(summedTime([measured(60), measured(240)]), 'about 5:00');
    assert.equal(summedTime([guessed(60), guessed(240)]), guessedTime(300));
    assert.equal(summedTime([measured(240), guessed(240)]), 'roughly 6 to 12 min');
    assert.equal(summedTime([measured(3600), guessed(60)]), 'about 1 h 1 min');
    assert.equal(summedTime([guessed(2), measured(3)]), 'a few seconds');
  });

  it('say that they were not measured, but for a few seconds', () => {
    const marked = (seconds: number, measured: boolean): string => markedTime({ seconds, measured });
    assert.deepEqual(
      [marked(80, true), marked(80, false), marked(5, true), marked(5, false)],
      ['about 1:20', 'roughly 40 s to 3 min (a guess)', 'a few seconds', 'a few seconds'],
    );
  });
});

describe('the device in words', () => {
  const gpus = [
    { provider: 'webgpu', error: 'no adapter was found' },
    { provider: 'cuda', error: 'libcudart is missing' },
  ];

  it('says each reason once', () => {
    const why = 'no GPU can be used: webgpu: no adapter was found; cuda: libcudart is missing';
    const lines = deviceLines({ provider: 'cpu', why, tried: gpus });
    assert.deepEqual(lines, [`Computes on cpu: ${why}`]);
  });

  it('says what the reason leaves out', () => {
    const lines = deviceLines({ provider: 'cuda', why: 'asked for', tried: [{ provider: 'cuda', gflops: 812.4 }] });
    assert.deepEqual(lines, ['Computes on cuda: asked for', 'cuda: 812 GFLOP/s']);
  });
});
