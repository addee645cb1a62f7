/** Options of jobs: what each kind of value is as text, in JSON Schema and in a job, and which go together. */
import assert from 'node:assert/strict';
import { optionsFromWords } from '../../../src/cli/job-command';
import { UserError } from '../../../src/engine/errors';
import { TERMINAL_NAMING } from '../../../src/engine/option-token';
import { askedOptions } from '../../../src/jobs/asked';
import { compute } from '../../../src/jobs/options/compute';
import { argvOf } from '../../../src/jobs/argv';
import { completeOptions } from '../../../src/jobs/complete';
import { type AnyJob, defineJob } from '../../../src/jobs/define';
import {
  amount,
  blocks,
  bytes,
  checkpoint,
  choice,
  file,
  flag,
  isOfMachine,
  list,
  models,
  parameters,
  part,
  parts,
  positive,
  rate,
  seed,
  share,
  text,
  whole,
} from '../../../src/jobs/option';
import { JOBS } from '../../../src/jobs/definitions';
import { shape } from '../../../src/jobs/result';
import { schemaOf } from '../../../src/jobs/schema';
import { InvalidValue, parseValue } from '../../../src/jobs/values';

/** A job with an option of every kind. */
const every = defineJob({
  kind: 'every',
  summary: 's',
  description: 'd',
  examples: ['m'],
  noun: () => 'Trying',
  title: (model) => `Trying ${model}`,
  done: (model) => `Tried ${model}`,
  icon: 'beaker',
  options: {
    model: checkpoint('the model', { argument: true, required: true }),
    note: text('a note', { conflicts: ['scores'] }),
    scores: file('scores'),
    chat: flag('chat'),
    keepEnds: flag('keep the ends', { default: true, formerly: 'plus' }),
    count: whole('a count', { default: 3 }),
    window: whole('a window', { min: 2, max: 9, why: 'the first is not scored' }),
    seed: seed('a seed'),
    temperature: positive('above 0'),
    decay: amount('at least 0'),
    topP: share('at most 1'),
    ratio: part('below 1'),
    dropout: rate('may be 0'),
    how: choice(['sum', 'mean'], 'how', { default: 'sum' }),
    blocks: blocks('whole blocks'),
    remove: parts('blocks and modules'),
    memory: bytes('memory'),
    targetParams: parameters('a size'),
    betas: list(rate('a beta'), 'two betas', { length: 2 }),
    data: list(file('a file'), 'files', { repeated: true }),
    weight: share('of the scores', { needs: 'scores' }),
  },
  check: ({ count }) => (count < 100 ? undefined : { what: 'Too many', why: 'they are', action: 'Take fewer.' }),
  result: shape({}, ''),
});
type Every = (typeof every)['options'];

/** A job over several models. */
const several = defineJob({
  ...every,
  kind: 'several',
  options: {
    checkpoints: list(checkpoint('a model'), 'models', { argument: true }),
    columns: models('models'),
    chat: flag('chat'),
  },
  check: undefined,
});

/** Each option with a text for it and the value that this is. */
const VALUES: Readonly<Record<Exclude<keyof Every, 'model'>, readonly [text: string, value: unknown]>> = {
  note: ["it's", "it's"],
  scores: ['s.json', 's.json'],
  chat: ['true', true],
  keepEnds: ['false', false],
  count: ['12', 12],
  window: ['9', 9],
  seed: ['4294967295', 4294967295],
  temperature: ['.5', 0.5],
  decay: ['0', 0],
  topP: ['1', 1],
  ratio: ['0.2', 0.2],
  dropout: ['0', 0],
  how: ['mean', 'mean'],
  blocks: ['0-2,7', [0, 1, 2, 7]],
  remove: ['10,12-13,3.ffn', [10, 12, 13, '3.ffn']],
  memory: ['1.5GiB', 1.5 * 2 ** 30],
  targetParams: ['5.4B', 5.4e9],
  betas: ['0.9,0.95', [0.9, 0.95]],
  data: ['a.txt', 'a.txt'],
  weight: ['0.5', 0.5],
};

/** Texts that are no value, by the option. */
const INVALID: Readonly<Partial<Record<keyof Every, readonly string[]>>> = {
  count: ['0', '-1', '1.5', '', 'six', '1e3', '99999999999999999'],
  window: ['1', '10'],
  seed: ['4294967296', '-1', 'x'],
  temperature: ['0', '-1', 'Infinity', 'NaN', '', '0x10'],
  decay: ['-1', 'x'],
  topP: ['0', '1.1'],
  ratio: ['0', '1'],
  dropout: ['1', '-0.1'],
  how: ['max', ''],
  blocks: ['', '1;2', '3-1', '1.ffn', '0-999999999'],
  remove: ['', 'x', '3-1', '1.mlp'],
  memory: ['', '0', '999kB', '-1GB', '2 GB or so', 'GB', '1e9', '99999999999TB', '5iB'],
  targetParams: ['', 'five', '5Q'],
  betas: ['0.9', '0.9,1', '0.9,0.9,0.9'],
};

describe('options of jobs', () => {
  const kindOf = (name: string) => (every as AnyJob).options[name].kind;

  it('are read from text, kind by kind', () => {
    for (const [name, [written, value]] of Object.entries(VALUES)) {
      const kind = kindOf(name);
      const single = kind.kind === 'list' && kind.repeated ? kind.of : kind;
      assert.deepEqual(parseValue(single, written), value, name);
    }
    for (const [name, texts] of Object.entries(INVALID)) {
      for (const wrong of texts) assert.throws(() => parseValue(kindOf(name), wrong), InvalidValue, `${name} ${wrong}`);
    }
    assert.deepEqual(parseValue({ kind: 'blocks' }, '1.attention,1.ffn'), [1], 'both modules of a block are the block');
  });

  it('are the same after the way through a command line', () => {
    const given = {
      model: '-m',
      ...Object.fromEntries(Object.entries(VALUES).map(([name, [, value]]) => [name, value])),
      note: undefined,
      data: ['a.txt', 'b c.txt'],
    };
    const words = argvOf(every, given);
    assert.deepEqual(words.slice(0, 2), ['every', './-m']);
    const read = optionsFromWords(every, words);
    assert.deepEqual(completeOptions(every, read), completeOptions(every, { ...given, model: './-m' }));
    assert.deepEqual(argvOf(every, { model: 'm', chat: false, keepEnds: true, blocks: [] }), ['every', 'm']);
  });

  it('of several models are arguments one after another', () => {
    const given = { checkpoints: ['a', '-b', 'c,d'], chat: true };
    const words = argvOf(several, given);
    assert.deepEqual(words, ['several', 'a', './-b', 'c,d', '--chat']);
    assert.deepEqual(optionsFromWords(several, words), { checkpoints: ['a', './-b', 'c,d'], chat: true });
    const columns = [
      { label: 'whole', checkpoint: 'a b' },
      { label: "it's", checkpoint: 'c', remove: [1, '2.ffn'], heal: 'h', adapter: 'd', otherBase: true },
    ];
    assert.deepEqual(optionsFromWords(several, argvOf(several, { columns })), { columns });
    for (const wrong of [
      'x',
      '[]',
      '{"label":"x"}',
      '{"label":"x","checkpoint":"a","more":1}',
      '{"label":1,"checkpoint":"a"}',
    ]) {
      assert.throws(() => parseValue({ kind: 'models' }, wrong), InvalidValue, wrong);
    }
  });

  it('have earlier flags, and opposites of those that are on by default', () => {
    const keepEnds = (...flags: string[]): unknown => optionsFromWords(every, ['every', 'm', ...flags]).keepEnds;
    assert.equal(keepEnds(), undefined);
    for (const on of ['--keep-ends', '--plus']) assert.equal(keepEnds(on), true, on);
    for (const off of ['--no-keep-ends', '--no-plus']) assert.equal(keepEnds(off), false, off);
  });

  it('are completed with defaults, and checked one by one and together', () => {
    assert.deepEqual(completeOptions(every, { model: 'm', chat: undefined }), {
      model: 'm',
      keepEnds: true,
      count: 3,
      how: 'sum',
    });
    const refused = (given: object, words: RegExp): void =>
      assert.throws(
        () => completeOptions(every, given),
        (error) => error instanceof UserError && words.test(`${error.message}. ${error.action}`),
      );
    refused({}, /needs the option model/);
    refused({ model: 'm', nonsense: 1 }, /no option nonsense/);
    refused({ model: 'm', count: 100 }, /Too many: they are. Take fewer/);
    refused({ model: 'm', note: 'a', scores: 'b' }, /cannot be used with --scores/);
    refused({ model: 'm', weight: 0.5 }, /needs --scores/);
    const wrong: Record<string, unknown> = {
      note: 1,
      chat: 'yes',
      count: 0,
      window: 1,
      seed: -1,
      temperature: 0,
      topP: 2,
      how: 'max',
      blocks: [-1],
      remove: ['1.mlp'],
      memory: 5,
      targetParams: 0,
      betas: [0.9],
      data: 'a.txt',
    };
    for (const [name, value] of Object.entries(wrong)) refused({ model: 'm', [name]: value }, /must be/);
  });

  it('that are missing are named as they are typed', () => {
    const missing: readonly (readonly [job: AnyJob, given: object, action: RegExp])[] = [
      [JOBS.score, {}, /^Add --calibration FILE: a text/],
      [JOBS.eval, {}, /^Add --text FILE\.$/],
      [JOBS.curve, {}, /^Add --text FILE, or --calibration FILE to/],
      [JOBS.prune, { out: 'o', criterion: 'ppl', count: 1 }, /^Add --calibration FILE: a text/],
    ];
    for (const [job, given, action] of missing) {
      assert.throws(() => completeOptions(job, { checkpoint: 'm', ...given }), { name: 'UserError', action }, job.kind);
    }
  });

  it('have a JSON Schema that says which there are, their values and defaults', () => {
    const { properties, required, additionalProperties } = schemaOf(every, TERMINAL_NAMING) as {
      readonly properties: Readonly<Record<string, Record<string, unknown>>>;
      readonly required: unknown;
      readonly additionalProperties: unknown;
    };
    assert.deepEqual([required, additionalProperties], [['model'], false]);
    assert.deepEqual(Object.keys(properties), Object.keys(every.options));
    assert.deepEqual(properties.count, { type: 'integer', minimum: 1, description: 'a count', default: 3 });
    assert.deepEqual(properties.how.enum, ['sum', 'mean']);
    assert.deepEqual(properties.ratio, {
      type: 'number',
      exclusiveMinimum: 0,
      exclusiveMaximum: 1,
      description: 'below 1',
    });
    assert.deepEqual(properties.betas.minItems, 2);
    for (const job of Object.values(JOBS)) assert.equal(schemaOf(job, TERMINAL_NAMING).type, 'object');
  });

  it('of the machine are the same in every job, and no part of what a record says was asked for', () => {
    for (const job of Object.values(JOBS) as readonly AnyJob[]) {
      const own = Object.keys(job.options).filter((name) => isOfMachine(job.options[name]));
      assert.deepEqual(own.sort(), Object.keys(compute).sort(), job.kind);
    }
    const given = { checkpoint: '/m', out: '/o', threads: 2, device: 'cpu', memory: 2e9, data: ['/d'] };
    assert.deepEqual(askedOptions(JOBS.retrain, given, '/'), { checkpoint: 'm', out: 'o', data: ['d'] });
  });

  it('name options that exist, in what excludes and needs them', () => {
    const jobs: readonly AnyJob[] = Object.values(JOBS);
    for (const { kind, options, examples, sidecarOnly = false } of jobs) {
      for (const [name, { conflicts = [], needs = name }] of Object.entries(options)) {
        for (const other of [...conflicts, needs]) assert.ok(other in options, `${kind}: ${name} names ${other}`);
      }
      assert.equal(examples.length > 0, !sidecarOnly, kind);
    }
  });
});
