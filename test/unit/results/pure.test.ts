/** What the results panel and its host compute without an editor: messages, differences, history of a plan. */
import assert from 'node:assert/strict';
import { jobsOf } from '../../../src/editors/results/facts';
import { PlanHistories, PlanHistory } from '../../../src/editors/results/plan-history';
import { SampleWriter } from '../../../src/editors/results/live-samples';
import { type WhatIfQuestion, WhatIfWatch } from '../../../src/editors/results/what-if-watch';
import { calibrationKey } from '../../../src/engine/records/rows-key';
import type { Memento } from '../../../src/state/memento';
import type { JobInfo, JobSpec } from '../../../src/protocol/jobs';
import type { LiveSamples, LiveText, PanelState, WhatIfState } from '../../../src/protocol/panel';
import type { ViewPerplexity } from '../../../src/protocol/short';
import { differences } from '../../../webview/panel/sections/differences';
import { Plans } from '../../../src/state/plan';
import { outcomeOf } from '../../../webview/panel/sections/sample-outcome';
import { receive } from '../../../webview/panel/state/state';
import { EMPTY } from '../../webview/panel/recorded';
import { until } from '../../support/until';

describe('jobs of the panel', () => {
  it('are those of its checkpoint, a scoring with the text that it reads', () => {
    const specs: Record<string, JobSpec> = {
      a: { kind: 'score', checkpoint: '/m', criterion: 'ppl', calibration: '/w/story.txt', samples: 10, length: 128 },
      b: { kind: 'score', checkpoint: '/m', criterion: 'magnitude' },
      c: { kind: 'score', checkpoint: '/m', criterion: 'ppl', calibration: '/w/rows.json' },
      d: { kind: 'score', checkpoint: '/other', criterion: 'ppl', calibration: '/w/story.txt' },
    };
    const jobs = Object.entries(specs).map(([id]) => {
      const checkpoint = id === 'd' ? '/other' : '/m';
      return { id, kind: 'score', checkpoint, state: 'queued' } satisfies JobInfo;
    });
    const shown = jobsOf('/m', { jobs, specOf: (id) => specs[id] }, (file) => file.slice('/w/'.length));
    assert.deepEqual(
      shown.map(({ id, state, text }) => [id, state, text]),
      [
        ['a', 'running', 'story.txt · 10×128'],
        ['b', 'queued', undefined],
        ['c', 'queued', 'rows.json'],
      ],
    );
  });
});

describe('messages of the host', () => {
  const init = receive(undefined, { sequence: 0, type: 'init', state: EMPTY });
  assert.ok(init !== 'lost');

  it('change the parts that they name, in their order', () => {
    const next = receive(init, { sequence: 1, type: 'update', changes: { prompts: ['x'] } });
    assert.ok(next !== 'lost');
    assert.deepEqual(next.state.prompts, ['x']);
    assert.equal(next.state.plan, EMPTY.plan);
    assert.equal(receive(next, { sequence: 3, type: 'update', changes: {} }), 'lost');
    assert.equal(receive(undefined, { sequence: 1, type: 'update', changes: {} }), 'lost');
  });

  it('add points and text to what is there', () => {
    const fresh: LiveText = {
      text: 'a',
      tokens: 1,
      timeToFirstToken: null,
      tokensPerSecond: null,
      repetition: null,
      stopped: null,
    };
    const state: PanelState = {
      ...EMPTY,
      training: { status: 'running', title: 't', total: 2, steps: [], evaluations: [] },
      writing: { status: 'queued', prompt: 'p', columns: ['x', 'y'], texts: [fresh, fresh] },
    };
    const step = { step: 1, loss: 2, learningRate: 0, tokensPerSecond: 1 };
    const trained = receive({ sequence: 0, state }, { sequence: 1, type: 'training', steps: [step], evaluations: [] });
    assert.ok(trained !== 'lost');
    assert.deepEqual(trained.state.training?.steps, [step]);
    const pieces = [
      { column: 1, text: 'b' },
      { column: 1, text: 'c' },
    ];
    const written = receive(trained, { sequence: 2, type: 'text', pieces, texts: [fresh, { ...fresh, tokens: 3 }] });
    assert.ok(written !== 'lost');
    assert.deepEqual(
      written.state.writing?.texts.map(({ text, tokens }) => [text, tokens]),
      [
        ['a', 1],
        ['abc', 3],
      ],
    );
  });
});

describe('differences between texts', () => {
  const marked = (text: string, reference: string): string =>
    differences(text, reference)
      .map((span) => (span.differs ? `[${span.text}]` : span.text))
      .join('');

  it('marks the words that the other does not have', () => {
    assert.equal(marked('the old mill stood still', 'the mill stood'), 'the[ old] mill stood[ still]');
    assert.equal(marked('same words', 'same words'), 'same words');
    assert.equal(marked('all other', ''), '[all other]');
    assert.equal(marked('', 'text'), '');
  });

  it('loses no sign of the text', () => {
    const text = '  two  spaces\n\nand a line \n';
    assert.equal(
      differences(text, 'and two')
        .map((span) => span.text)
        .join(''),
      text,
    );
  });
});

describe('history of a plan', () => {
  it('undoes and redoes, and forgets what was undone when something new happens', () => {
    const history = new PlanHistory({ removed: [] });
    const note = (...removed: number[]): void => history.note({ removed });
    note(1);
    note(1, 2);
    note(1, 2); // nothing changed
    assert.deepEqual(history.undo()?.removed, [1]);
    assert.deepEqual(history.undo()?.removed, []);
    assert.equal(history.undo(), undefined);
    assert.deepEqual(history.redo()?.removed, [1]);
    note(7);
    assert.equal(history.canRedo, false);
    assert.deepEqual(history.undo()?.removed, [1]);
  });

  it('brings back what had suggested the plan', () => {
    const suggestion = { criterion: 'ppl', goal: { kind: 'count', count: 1 }, blocks: [3] } as const;
    const history = new PlanHistory({ removed: [3], suggestion });
    history.note({ removed: [3], suggestion: { ...suggestion, criterion: 'taylor' } }); // the same blocks
    assert.equal(history.canUndo, false);
    history.note({ removed: [] });
    assert.equal(history.undo()?.suggestion?.criterion, 'taylor');
  });
});

describe('histories of plans', () => {
  const subject = { path: '/model', identity: 'a', blocks: 8 };
  const memory = (): Memento => {
    const kept = new Map<string, string>();
    return {
      get: (key) => JSON.parse(kept.get(key) ?? 'null') as unknown,
      update: (key, value) => Promise.resolve(void kept.set(key, JSON.stringify(value))),
    };
  };
  const suggestion = { criterion: 'ppl', goal: { kind: 'count', count: 2 }, blocks: [4, 5] } as const;

  it('go on while no panel is open, and bring back what was suggested', () => {
    const plans = new Plans(memory());
    const histories = new PlanHistories(plans, memory());
    histories.of(subject); // a panel is opened, and closed again
    plans.suggest(subject, suggestion);
    plans.set(subject, [1]);
    assert.equal(histories.of(subject).canUndo, true);
    histories.move(subject, 'undo');
    assert.deepEqual(plans.state(subject), { removed: [4, 5], suggestion });
    histories.move(subject, 'undo');
    assert.deepEqual(plans.removed(subject), []);
    assert.equal(histories.of(subject).canUndo, false);
    histories.move(subject, 'undo');
    histories.move(subject, 'redo');
    histories.move(subject, 'redo');
    assert.deepEqual(plans.removed(subject), [1]);
  });

  it('survive the window, and end with the files that they are of', () => {
    const [plansStore, store] = [memory(), memory()];
    const before = new Plans(plansStore);
    const histories = new PlanHistories(before, store);
    histories.of(subject);
    before.set(subject, [3]);
    before.set(subject, [3, 4]);
    histories.move(subject, 'undo');
    const plans = new Plans(plansStore);
    const again = new PlanHistories(plans, store);
    assert.deepEqual([again.of(subject).canUndo, again.of(subject).canRedo], [true, true]);
    again.move(subject, 'redo');
    assert.deepEqual(plans.removed(subject), [3, 4]);
    assert.equal(again.of({ ...subject, identity: 'b' }).canUndo, false);
  });

  it('take what else was stored for nothing', () => {
    const plans = new Plans(memory());
    for (const stored of [7, null, { '/model': null }, { '/model': { identity: 'a', past: 5 } }]) {
      const store = { get: () => stored, update: () => Promise.resolve() };
      assert.equal(new PlanHistories(plans, store).of(subject).canUndo, false);
    }
  });
});

describe('texts that are being written', () => {
  it('are the events until they are done, and then the result', () => {
    const writer = new SampleWriter({ prompt: 'p' }, ['x', 'y']);
    assert.equal(writer.state.status, 'queued');
    writer.add({ type: 'text', prompt: 0, column: 1, text: 'Hel', ids: [5] });
    writer.add({ type: 'text', prompt: 0, column: 1, text: 'lo', ids: [6] });
    assert.deepEqual(writer.take().pieces, [
      { column: 1, text: 'Hel' },
      { column: 1, text: 'lo' },
    ]);
    assert.deepEqual(writer.take().pieces, []);
    assert.deepEqual(
      writer.state.texts.map(({ text, tokens, stopped }) => [text, tokens, stopped]),
      [
        ['', 0, null],
        ['Hello', 2, null],
      ],
    );
    const numbers = {
      timeToFirstToken: 0.5,
      prefillTokensPerSecond: 9,
      decodeTokensPerSecond: 'NaN' as const,
      promptTokens: 1,
    };
    writer.end('done', [{ ...numbers, prompt: 0, column: 0, ids: [1], text: 'Hi', stopped: 'eos' }]);
    assert.equal(writer.state.texts[0].text, 'Hi');
    assert.equal(writer.state.texts[0].tokensPerSecond, null);
    assert.equal(writer.state.texts[0].stopped, 'eos');
  });
});

describe('what came of texts', () => {
  const text = (stopped: LiveText['stopped']): LiveText => ({
    text: '',
    tokens: 0,
    timeToFirstToken: null,
    tokensPerSecond: null,
    repetition: null,
    stopped,
  });
  const outcome = (status: LiveSamples['status'], ...stopped: LiveText['stopped'][]): string =>
    outcomeOf({ status, prompt: '', columns: [], texts: stopped.map(text) });

  it('is said as it is', () => {
    assert.equal(outcome('done', 'length', 'eos'), '2 texts generated');
    assert.equal(outcome('done', 'eos', 'failed', 'length'), '2 texts generated, 1 failed');
    assert.equal(outcome('failed', 'failed', 'failed'), 'No text generated, 2 failed');
    assert.equal(outcome('cancelled', 'cancelled'), '1 text stopped');
  });

  it('says what the models computed in, as soon as that is known', () => {
    const writer = new SampleWriter({ prompt: 'p' }, ['x']);
    assert.equal(writer.state.precision, undefined);
    writer.finish({ samples: [], precision: 'int4' });
    assert.deepEqual([writer.state.status, writer.state.precision], ['done', 'int4']);
    assert.equal(new SampleWriter({ prompt: 'p' }, ['x'], 'int8').state.precision, 'int8');
  });

  it('stands in the columns where all failed, each with its own reason', () => {
    const writer = new SampleWriter({ prompt: 'p' }, ['x', 'y']);
    writer.add({ type: 'text', prompt: 0, column: 0, text: '', ids: [], failure: 'x is broken' });
    assert.equal(writer.state.texts[0].stopped, 'failed');
    assert.equal(writer.state.texts[1].stopped, null);
    writer.end('failed', [], 'no memory');
    assert.deepEqual(
      writer.state.texts.map(({ stopped, failure }) => [stopped, failure]),
      [
        ['failed', 'x is broken'],
        ['failed', 'no memory'],
      ],
    );
  });
});

describe('what if', () => {
  const rows = { source: 'prose.txt', sha256: 'a', samples: 4, length: 24, seed: 1, method: 'documents' } as const;
  const answer = (ppl: number, whole?: true, sha256 = 'a', seconds = 0.1) =>
    ({
      ppl,
      precision: 'float32',
      seconds,
      calibration: { ...rows, sha256 },
      ...(whole && { whole: { ppl: 10 } }),
    }) as ViewPerplexity;
  const watched = (ask: (question: WhatIfQuestion) => Promise<ViewPerplexity>, seen: WhatIfState[] = []) =>
    new WhatIfWatch({
      ask,
      changed: (state) => seen.push(state),
      failed: (error) => (error as Error).message,
      settleMs: 1,
    });

  it('sends one request for many changes, which measures the whole model too while that is unknown', async () => {
    const asked: WhatIfQuestion[] = [];
    const watch = watched((question) => {
      asked.push(question);
      return Promise.resolve(answer(10 + (question.remove?.length ?? 0), question.whole));
    });
    watch.planned([1]);
    watch.planned([1, 2]);
    await until('the watch gets there', () => watch.state.status === 'done');
    assert.deepEqual(asked, [{ remove: [1, 2], whole: true }]);
    assert.equal(watch.state.full, 10);
    assert.equal(watch.state.ppl, 12);
    watch.planned([3]);
    await until('the watch gets there', () => watch.state.status === 'done');
    assert.deepEqual(asked.slice(1), [{ remove: [3] }]);
    watch.planned([]);
    await until('the watch gets there', () => watch.state.removed.length === 0);
    assert.equal(asked.length, 2);
  });

  it('measures the whole model again when the text has changed', async () => {
    const asked: WhatIfQuestion[] = [];
    const watch = watched((question) => {
      asked.push(question);
      return Promise.resolve(answer(20, question.whole, 'b'));
    });
    watch.restart({ full: 9, text: 'prose.txt', rowsKey: calibrationKey(rows)! });
    watch.planned([1]);
    await until('the watch gets there', () => watch.state.status === 'done');
    assert.deepEqual(asked, [{ remove: [1] }, { remove: [1], whole: true }]);
    assert.equal(watch.state.full, 10);
  });

  it('asks for a quick answer first where float32 is slow, moves it to the whole model, and replaces it', async () => {
    const asked: WhatIfQuestion[] = [];
    const seen: WhatIfState[] = [];
    const watch = watched((question) => {
      asked.push(question);
      const exact = answer(20, question.whole, 'a', 3);
      const some = { ppl: 33, whole: { ppl: 15 }, precision: 'int8', readRows: 4 };
      return Promise.resolve(question.quick ? { ...exact, ...some } : exact);
    }, seen);
    watch.planned([1]);
    await until('the watch gets there', () => watch.state.status === 'done');
    assert.deepEqual(asked, [{ remove: [1], whole: true }], 'nothing is known of the speed yet');
    watch.planned([2]);
    await until('the watch gets there', () => watch.state.status === 'done');
    assert.deepEqual(asked.slice(1), [{ remove: [2], quick: true }, { remove: [2] }]);
    const quick = seen.filter(({ precision }) => precision === 'int8');
    assert.ok(
      quick.length > 0 &&
        quick.every(({ status, removed, ppl }) => status === 'computing' && removed[0] === 2 && ppl === 22),
    );
    assert.ok(quick.every(({ readRows }) => readRows === 4));
    assert.deepEqual([watch.state.ppl, watch.state.precision, watch.state.readRows], [20, undefined, undefined]);
    watch.restart({ full: 10, text: 'prose.txt', rowsKey: calibrationKey(rows)! });
    watch.planned([3]);
    await until('the watch gets there', () => watch.state.status === 'done');
    assert.deepEqual(asked.slice(3), [{ remove: [3] }], 'other rows may be faster');
  });

  it('asks for a quick answer to the first plan where preparing it was slow', async () => {
    const asked: WhatIfQuestion[] = [];
    const watch = watched((question) => {
      asked.push(question);
      const exact = answer(20, question.whole, 'a', 3);
      return Promise.resolve(question.quick ? { ...exact, ppl: 33, whole: { ppl: 15 }, precision: 'int8' } : exact);
    });
    watch.prepared(3, { full: 10, text: 'prose.txt', rowsKey: calibrationKey(rows)! });
    assert.deepEqual([watch.state.status, watch.state.full], ['idle', 10]);
    watch.planned([2]);
    await until('the watch gets there', () => watch.state.status === 'done');
    assert.deepEqual(asked, [{ remove: [2], quick: true }, { remove: [2] }]);
  });

  it('drops an answer that came too late, and says what failed', async () => {
    const seen: WhatIfState[] = [];
    let release: ((value: ViewPerplexity) => void) | undefined;
    let failing = false;
    const watch = watched(({ remove, whole }) => {
      if (failing) return Promise.reject(new Error('no memory'));
      return remove?.[0] === 1 ? new Promise((resolve) => (release = resolve)) : Promise.resolve(answer(20, whole));
    }, seen);
    watch.planned([1]);
    await until('the request is sent', () => release !== undefined);
    watch.planned([2]);
    await until('the watch gets there', () => watch.state.status === 'done');
    release!(answer(99, true));
    await new Promise((go) => setImmediate(go));
    assert.equal(watch.state.ppl, 20);
    assert.ok(seen.every(({ ppl }) => ppl !== 99));
    failing = true;
    watch.planned([3]);
    await until('the watch gets there', () => watch.state.status === 'failed');
    assert.equal(watch.state.failure, 'no memory');
  });
});
