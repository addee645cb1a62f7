/** Questions in steps: their order, their numbers, the way back. */
import assert from 'node:assert/strict';
import { askAll, type Place, type Step, unlessBack, WentBack, when } from '../../../src/host/ask/ask-all';

interface Answers {
  readonly a?: string;
  readonly b?: string;
  readonly c?: string;
}

const BACK = Symbol('back');

/** A step that gives these answers, one each time that it is asked, and notes where it stood. */
function step(places: string[], name: keyof Answers, ...answers: readonly (string | typeof BACK)[]): Step<Answers> {
  let turn = 0;
  return (_, { step: at, totalSteps }: Place) => {
    places.push(`${name} ${at}/${totalSteps ?? '?'}`);
    const answer = answers[turn++];
    return answer === BACK ? Promise.reject(new WentBack()) : Promise.resolve({ [name]: answer });
  };
}

describe('questions in steps', () => {
  it('are asked in order, those that have nothing to ask left out', async () => {
    const places: string[] = [];
    const nothing = when<Answers>(() => false, step(places, 'c', 'asked'));
    const state = await askAll('x', { c: 'given' }, [step(places, 'a', '1'), nothing, step(places, 'b', '2')]);
    assert.deepEqual(state, { a: '1', b: '2', c: 'given' });
    assert.deepEqual(places, ['a 1/2', 'b 2/2']);
  });

  it('say how many there are only where no answer can change it', async () => {
    const places: string[] = [];
    const third = when<Answers>(({ b }) => (b === undefined ? undefined : b === 'more'), step(places, 'c', '3', '3'));
    const steps = (b: string): Step<Answers>[] => [step(places, 'a', '1'), step(places, 'b', b), third];
    await askAll<Answers>('x', {}, steps('enough'));
    await askAll<Answers>('x', {}, steps('more'));
    assert.deepEqual(places, ['a 1/?', 'b 2/?', 'a 1/?', 'b 2/?', 'c 3/3']);
  });

  it('obey the condition of the group that they are in, and then their own', async () => {
    const places: string[] = [];
    const own = when<Answers>(({ c }) => c === 'own', step(places, 'b', '2'));
    for (const a of ['group', 'none']) {
      for (const c of ['own', 'other'])
        await askAll<Answers>('x', { a, c }, [when((state) => state.a === 'group', own)]);
    }
    assert.deepEqual(places, ['b 1/1']);
  });

  it('count what is given as not asked', async () => {
    const places: string[] = [];
    const text = when<Answers>(({ a }) => (a === undefined ? undefined : a !== 'no text'), step(places, 'b', '2'));
    await askAll<Answers>('x', { a: 'text' }, [step(places, 'c', '3'), text]);
    await askAll<Answers>('x', { a: 'no text' }, [step(places, 'c', '3'), text]);
    assert.deepEqual(places, ['c 1/2', 'b 2/2', 'c 1/1']);
  });

  it('go back over what asked nothing, and forget the answer', async () => {
    const places: string[] = [];
    const seen: Answers[] = [];
    const nothing = when<Answers>((state) => state.b === undefined && seen.push(state) < 0, step(places, 'c'));
    const steps = [step(places, 'a', '1', '3'), nothing, step(places, 'b', BACK, '2')];
    assert.deepEqual(await askAll<Answers>('x', {}, steps), { a: '3', b: '2' });
    assert.deepEqual(
      places.map((place) => place.slice(0, 3)),
      ['a 1', 'b 2', 'a 1', 'b 2'],
    );
    assert.deepEqual(seen.at(-1), { a: '3' });
  });

  it('repeat the first one, which has none before it', async () => {
    const places: string[] = [];
    const steps = [step(places, 'a', BACK, BACK, '1'), step(places, 'b', BACK, '2')];
    await assert.rejects(askAll<Answers>('x', {}, [() => Promise.reject(new Error('cancelled'))]), /cancelled/);
    assert.deepEqual(await askAll<Answers>('x', {}, steps), { a: undefined, b: '2' });
    assert.equal(places.filter((place) => place.startsWith('a')).length, 4);
  });

  it('that another answer has led to lead back to that', async () => {
    assert.equal(await unlessBack(Promise.resolve('text')), 'text');
    assert.equal(await unlessBack<string>(Promise.reject(new WentBack())), undefined);
    await assert.rejects(unlessBack(Promise.reject(new Error('cancelled'))), /cancelled/);
  });
});
