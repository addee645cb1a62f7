/** The texts of probes: the same for the same seed, and their answers right by checks that share nothing with the generators. */
import assert from 'node:assert/strict';
import { DEFAULT_PROBE_SEED, PROBES, probeTask } from '../../../../src/engine/evaluate/probes';
import { PROBE_NAMES, type ProbeName, probesNamed, QUESTIONS, WRITTEN_PROBES } from '../../../../src/format/probes';
import { DISTANCES } from '../../../../src/engine/evaluate/probes/recall';
import type { ChoiceItem } from '../../../../src/engine/evaluate/tasks/item';
import { Random } from '../../../../src/engine/random';

const SEEDS = [DEFAULT_PROBE_SEED, 1, 7, 0xffffffff];

/** What stands before the answer, the right answer, and all choices, of every question of some seeds. */
function asked(name: ProbeName): { context: string; answer: string; choices: string[] }[] {
  const items: ChoiceItem[] = SEEDS.flatMap((seed) => [...probeTask(name, seed).choiceItems]);
  assert.ok(items.length > 0);
  return items.map(({ choices, gold }) => ({
    context: choices[gold].context,
    answer: choices[gold].continuation,
    choices: choices.map(({ continuation }) => continuation),
  }));
}

/** The last line that begins so, without its beginning. */
function lastLine(context: string, beginning: string): string {
  const line = context.split('\n').findLast((each) => each.startsWith(beginning));
  assert.ok(line !== undefined, context);
  return line.slice(beginning.length).trim();
}

describe('probes', () => {
  it('are the same texts for the same seed on every machine', () => {
    const hashes = PROBE_NAMES.map((name) => [name, probeTask(name).probe.sha256.slice(0, 16)]);
    assert.deepEqual(Object.fromEntries(hashes), GOLDEN);
  });

  it('that write are known by their names', () => {
    const writing = PROBE_NAMES.filter((name) => probeTask(name).writtenItems.length > 0);
    assert.deepEqual(writing, WRITTEN_PROBES);
  });

  it('change with the seed, and not with the number of questions that are taken', () => {
    for (const name of PROBE_NAMES) {
      assert.notEqual(probeTask(name, 1).probe.sha256, probeTask(name, 2).probe.sha256, name);
      const [all, some] = [probeTask(name), probeTask(name, DEFAULT_PROBE_SEED, 3)];
      assert.deepEqual(
        [...some.choiceItems, ...some.writtenItems],
        [...all.choiceItems, ...all.writtenItems].slice(0, 3),
      );
    }
  });

  it('have so many questions as they say, none twice, and a chance that fits their choices', () => {
    for (const name of PROBE_NAMES) {
      const { choiceItems, writtenItems } = probeTask(name);
      assert.equal(choiceItems.length === 0 ? QUESTIONS : choiceItems.length, QUESTIONS, name);
      const texts = [...choiceItems, ...writtenItems].map((each) =>
        JSON.stringify('choices' in each ? each.choices : each.prompt),
      );
      assert.equal(new Set(texts).size, texts.length, name);
      const { chance } = PROBES[name];
      for (const { choices, gold } of choiceItems) {
        assert.equal(chance, choices.length === 1 ? 0 : 1 / choices.length, name);
        assert.equal(new Set(choices.map(({ continuation }) => continuation)).size, choices.length, name);
        assert.ok(gold >= 0 && gold < choices.length);
        assert.ok(choices.every(({ continuation }) => continuation.trim() !== ''));
      }
    }
  });

  it('are named by all, or by some, in the order of pages', () => {
    assert.deepEqual(probesNamed(['all']), PROBE_NAMES);
    assert.deepEqual(probesNamed(['end', 'copy', 'end']), ['copy', 'end']);
  });

  it('copy: the answer is the text', () => {
    for (const { context, answer } of asked('copy')) {
      assert.equal(answer.trim(), lastLine(context, 'Text:'));
      const examples = [...context.matchAll(/^Text: (.*)\nCopy: (.*)$/gm)];
      assert.equal(examples.length, 2);
      for (const [, text, copied] of examples) assert.equal(copied, text);
    }
  });

  it('recall: the answer is the only value of the key, at the distance that its number says', () => {
    for (const [i, { context, answer }] of asked('recall').entries()) {
      const [list, questions] = context.split('\nAsked:\n');
      const pairs = list
        .split('\n')
        .slice(1)
        .filter((line) => line !== '')
        .map((line) => line.split(': '));
      const key = questions.split('\n').at(-1)!.replace(':', '');
      const found = pairs.filter(([each]) => each === key);
      assert.deepEqual(
        found.map(([, value]) => value),
        [answer.trim()],
      );
      assert.equal(new Set(pairs.map(([, value]) => value)).size, pairs.length);
      const at = pairs.findIndex(([each]) => each === key);
      assert.equal(pairs.length - 1 - at, DISTANCES[i % DISTANCES.length]);
      // The keys that were asked for before are others, with their own values.
      for (const line of questions.split('\n').slice(0, -1))
        assert.ok(list.includes(`${line}\n`) && !line.startsWith(key));
    }
  });

  it('brackets: one choice closes what is open, or counts it', () => {
    for (const { context, answer, choices } of asked('brackets')) {
      const open = context.includes('Open:') ? lastLine(context, 'Open:') : undefined;
      const right = choices.filter((choice) =>
        open === undefined
          ? Number(choice) === lastLine(context, 'Line:').split('(').length - 1
          : closes(`${open} ${choice}`.replaceAll(' ', '')),
      );
      assert.deepEqual(right, [answer]);
    }
  });

  it('sums: one choice is the sum, and all have as many digits', () => {
    for (const { context, answer, choices } of asked('sums')) {
      const lines = context.split('\n');
      const [, a, b] = /^(\d\d) \+ (\d\d) =$/.exec(lines.at(-1)!)!.map(Number);
      assert.deepEqual(
        choices.filter((choice) => Number(choice) === a + b),
        [answer],
      );
      assert.equal(new Set(choices.map(({ length }) => length)).size, 1);
      for (const line of lines.slice(0, -1)) {
        const [, x, y, sum] = /^(\d\d) \+ (\d\d) = (\d+)$/.exec(line)!.map(Number);
        assert.equal(x + y, sum);
      }
    }
  });

  it('json: the answer ends an object with the fields, types and values that are given', () => {
    const typeOf = (value: unknown): unknown =>
      Array.isArray(value)
        ? [typeOf(value[0])]
        : typeof value === 'object' && value !== null
          ? Object.fromEntries(Object.entries(value).map(([name, each]) => [name, typeOf(each)]))
          : typeof value === 'number'
            ? 'integer'
            : typeof value;
    for (const { context, answer } of asked('json')) {
      const object: unknown = JSON.parse(lastLine(context, 'JSON:') + answer);
      assert.deepEqual(typeOf(object), JSON.parse(lastLine(context, 'Schema:')));
      const leaves = (value: unknown): string =>
        typeof value === 'object' && value !== null ? Object.values(value).map(leaves).join(', ') : String(value);
      const data = Object.entries(object as object).map(([name, value]) => `${name} = ${leaves(value)}`);
      assert.equal(data.join('; '), lastLine(context, 'Data:'));
    }
  });

  it('format: the answer is what is given in the form of the examples', () => {
    for (const { context, answer } of asked('format')) {
      const given = lastLine(context, 'Given:');
      assert.equal(answer.trim(), written(given));
      for (const [, from, to] of context.matchAll(/^Given: (.*)\nWritten: (.+)$/gm)) assert.equal(to, written(from));
    }
  });

  it('repeat and end: texts to go on from, judged by what is new and by their end', () => {
    for (const [name, match, tokens] of [
      ['repeat', 'new', 256],
      ['end', 'ends', 48],
    ] as const) {
      for (const { prompt, match: own, maxTokens } of probeTask(name).writtenItems) {
        assert.deepEqual([own, maxTokens], [match, tokens]);
        assert.ok(prompt.length > 20 && !/\s$/.test(prompt));
      }
    }
    const { prompt } = probeTask('end').writtenItems[0];
    assert.match(prompt, /^(\w+: [^\n]+\.\n){3}\w+:$/);
  });

  it('end their lines as the examples do: two line breaks are one token in many tokenizers', () => {
    for (const name of ['copy', 'recall', 'format'] as const) {
      for (const { context, answer } of asked(name)) {
        assert.match(answer, /^ [^\n]+\n$/);
        assert.doesNotMatch(context.split('\nAsked:').at(-1)!, /\n\n/);
      }
    }
  });

  it('draw from a stream of their own', () => {
    const random = new Random(5);
    PROBES.sums.items(random);
    assert.notDeepEqual(PROBES.copy.items(random), PROBES.copy.items(new Random(5)));
  });
});

function closes(text: string): boolean {
  let left = text;
  for (let before = ''; before !== left;) {
    before = left;
    left = left.replace(/\(\)|\[\]|\{\}/g, '');
  }
  return left === '';
}

/** By the form of what is given. */
function written(given: string): string {
  const date = new Date(`${given} UTC`);
  if (/^\d+ \w+ \d{4}$/.test(given)) return date.toISOString().slice(0, 10);
  const lives = /^(\w+) lives in (\w+)\.$/.exec(given);
  if (lives) return `<person name="${lives[1]}" city="${lives[2]}"/>`;
  const words = given.split(' ');
  if (words.length === 2) return `${words[1]}, ${words[0]}`;
  return `1) ${words[0]} 2) ${words[1]} 3) ${words[2]}`;
}

/** First digits of the SHA-256 of each probe's questions from the seed 0. */
const GOLDEN: Readonly<Record<ProbeName, string>> = {
  copy: 'a17cf7ad7519c609',
  recall: '0200c0f66998f521',
  brackets: 'b1a1f7c6c6c8c72e',
  sums: '0438c998dcbf6075',
  json: 'cb2372b278e6216e',
  format: '25e3058a1e69563d',
  repeat: '65f12bbdad938296',
  end: 'bcbb100386a92d94',
};
