/** Recipes are read, and what is wrong with one is found at its place, before anything runs. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { examineRecipe, parseRecipe, readRecipe, type RecipeProblem } from '../../../src/recipes/read';
import { writeFileSync } from 'node:fs';
import { UserError } from '../../../src/engine/errors';
import { temporaryFolder } from '../../support/temporary';

const FILE = '/recipes/model.coppice.json';

const recipe = (steps: object, more: object = {}): string => JSON.stringify({ coppice: 1, model: 'm', ...more, steps });
const problemsOf = (text: string): readonly RecipeProblem[] => parseRecipe(text, FILE).problems;

/** The only problem, with the text that it is about. */
function problemOf(text: string): RecipeProblem & { readonly about: string } {
  const problems = problemsOf(text);
  assert.equal(problems.length, 1, JSON.stringify(problems));
  return { ...problems[0], about: text.slice(problems[0].offset, problems[0].offset + problems[0].length) };
}

const SCORE = { job: 'score', options: { criterion: 'magnitude' } };

describe('reading a recipe', () => {
  it('takes comments, trailing commas, and names steps in the order of the file', () => {
    const {
      recipe: found,
      problems,
      places,
    } = parseRecipe(
      `{ // why
        "coppice": 1, "title": "A", "model": "./m",
        "variables": { "count": 2 }, "quick": { "count": 1 },
        "limits": { "maxBytes": "5MB" },
        "steps": {
          "scores": { "job": "score", "options": { "criterion": "magnitude" } },
          "pruned": { "job": "prune", "options": { "scores": "\${steps.scores}", "count": "\${count}" }, "limits": { "maxBytes": 9 } },
        },
      }`,
      FILE,
    );
    assert.deepEqual(problems, []);
    assert.deepEqual([found?.name, found?.title, found?.model], ['model', 'A', './m']);
    assert.deepEqual(
      found?.steps.map(({ name, job, limits }) => [name, job, limits]),
      [
        ['scores', 'score', {}],
        ['pruned', 'prune', { maxBytes: 9 }],
      ],
    );
    assert.deepEqual(
      places.map(({ name }) => name),
      ['scores', 'pruned'],
    );
  });

  const faults: readonly [name: string, text: string, about: string, says: RegExp][] = [
    ['no JSON', '{"coppice": 1, "steps": }', '}', /value expected/],
    ['no object', '[1]', '[1]', /not an object/],
    ['another version', recipe({ a: SCORE }, { coppice: 2 }), '2', /another number/],
    ['an unknown field', recipe({ a: SCORE }, { step: 1 }), '1', /no “step”/],
    ['no steps', recipe({}), '{}', /no steps/],
    ['a bad name', recipe({ 'a b': SCORE }), JSON.stringify(SCORE), /letters, digits/],
    ['an unknown job', recipe({ a: { job: 'samples' } }), '"samples"', /Name one of score, curve/],
    ['an unknown field of a step', recipe({ a: { ...SCORE, option: 1 } }), '1', /no “option”/],
    ['an unknown option', recipe({ a: { job: 'score', options: { critirion: 'ppl' } } }), '"ppl"', /no option “critirion”.*options are.*criterion/],
    ['an option that is a job now', recipe({ a: { job: 'prune', options: { method: 'lora', steps: 3, iterative: true } } }), 'true', /step of prune has no option “iterative”.* step of iterate, as of `coppice iterate`/],
    ['modules where blocks are chosen', recipe({ a: { job: 'iterate', options: { criterion: 'greedy', granularity: 'module' } } }), '"module"', /step of iterate has no option “granularity”.*chooses whole blocks.* with coppice score/],
    ['modules where a model is written', recipe({ a: { job: 'prune', options: { criterion: 'greedy', granularity: 'module', count: 1, calibration: 't' } } }), '"module"', /“a”: no checkpoint is written with --granularity module.*stock programs.*Add --dry-run, for the choice alone/],
    ['the blocks of a choice of modules', recipe({ a: { job: 'prune', options: { criterion: 'greedy', granularity: 'module', count: 1, calibration: 't', dryRun: true } }, b: { job: 'export', options: { format: 'gguf', remove: '${steps.a.removed}' } } }), '"${steps.a.removed}"', /“b” cannot take the blocks of “a” alone.*steps\.a\.leftOut/],
    ['blocks by scores of modules', recipe({ s: { job: 'score', options: { criterion: 'greedy', granularity: 'module', count: 1, calibration: 't' } }, a: { job: 'prune', options: { scores: '${steps.s}', count: 1 } } }), '"${steps.s}"', /“a” cannot choose by “s”.*steps\.s\.leftOut.* to “remove” of eval/],
    ['a wrong value', recipe({ a: { job: 'score', options: { criterion: 'best' } } }), '"best"', /criterion.*one of/],
    ['a wrong list', recipe({ a: { job: 'prune', options: { blocks: '4-x' } } }), '"4-x"', /blocks/],
    ['options that need others', recipe({ a: { job: 'prune', options: { criterion: 'magnitude' } } }), '{"criterion":"magnitude"}', /how much to remove/],
    ['an unknown variable', recipe({ a: { job: 'score', options: { calibration: '${text}' } } }), '"${text}"', /no variable “text”/],
    ['an unknown step', recipe({ a: { job: 'prune', options: { scores: '${steps.b}', count: 1 } } }), '"${steps.b}"', /no step “b”/],
    ['a step that writes nothing', recipe({ e: { job: 'eval', options: { text: 't' } }, a: { job: 'prune', options: { scores: '${steps.e}', count: 1 } } }), '"${steps.e}"', /FIELD/],
    ['a circle', recipe({ a: { ...SCORE, after: ['b'] }, b: { ...SCORE, after: ['a'] } }), JSON.stringify({ ...SCORE, after: ['b'] }), /a → b → a/],
    ['an output of two steps', recipe({ a: { job: 'prune', options: { blocks: [1], out: './x' } }, b: { job: 'prune', options: { blocks: [2], out: './x' } } }), '"./x"', /“b” is that of “a”/],
    ['an unknown limit', recipe({ a: { ...SCORE, limits: { maxPpl2: 1 } } }), '1', /no limit “maxPpl2”/],
    ['a limit that is not measured', recipe({ a: { ...SCORE, limits: { maxPpl: 1 } } }), '1', /does not measure/],
    ['a quick value of nothing', recipe({ a: SCORE }, { quick: { n: 1 } }), '1', /no variable “n”/],
    ['a variable that names another', recipe({ a: SCORE }, { variables: { n: '${m}' } }), '"${m}"', /names nothing else/],
    ['a table that is too wide', recipe({ a: SCORE }, { tables: [{ title: 't', columns: ['x'], rows: [{ label: 'r', cells: [1, 2] }] }] }), '{"label":"r","cells":[1,2]}', /1 cell/],
  ]; // prettier-ignore
  it('reports all that is wrong at once, and nothing that only follows from it', () => {
    const steps = {
      scores: { job: 'scroe', options: { criterion: 'magnitude' } },
      pruned: { job: 'prune', options: { scores: '${steps.scores}', count: '${cuont}' } },
      healed: { job: 'heal', options: { remove: '${steps.prunde.removed}' } },
      quality: { job: 'eval', options: { text: 't', windw: 1 }, limits: { minAccuracy: 1 } },
      fine: { job: 'prune', after: ['scores'], options: { scores: '${steps.scores}', count: 1 } },
    };
    const what = problemsOf(recipe(steps, { variables: { count: 2 } })).map((problem) => problem.what);
    assert.deepEqual(what, [
      'The step “scores” cannot be used',
      'There is no variable “cuont”',
      'There is no step “prunde”',
      'A step of eval has no option “windw”',
      '“minAccuracy” cannot be judged',
    ]);
  });

  it('takes what is left out by module as what other steps remove', () => {
    const steps = {
      s: { job: 'score', options: { criterion: 'search', granularity: 'module', count: 1, calibration: 't' } },
      e: { job: 'eval', options: { text: 't', remove: '${steps.s.leftOut}' } },
      p: {
        job: 'prune',
        options: { criterion: 'ppl', granularity: 'module', ratio: 0.1, calibration: 't', dryRun: true },
      },
      h: { job: 'heal', options: { remove: '${steps.p.leftOut}' } },
    };
    assert.deepEqual(problemsOf(recipe(steps)), []);
  });

  it('takes variables in the title, and nothing that a step has yet to find', () => {
    const variables = { count: 2 };
    assert.deepEqual(problemsOf(recipe({ a: SCORE }, { title: 'Without ${count}', variables })), []);
    assert.match(problemOf(recipe({ a: SCORE }, { title: 'Without ${n}', variables })).what, /no variable “n”/);
    assert.match(problemOf(recipe({ a: SCORE }, { title: '${steps.a.order}' })).what, /cannot be named here/);
  });

  for (const [name, text, about, says] of faults) {
    it(`refuses ${name}`, () => {
      const found = problemOf(text);
      assert.equal(found.about, about);
      assert.match(`${found.what}: ${found.why} ${found.action}`, says);
    });
  }

  it('finds two steps of one name', () => {
    const text = `{"coppice": 1, "model": "m", "steps": {"a": ${JSON.stringify(SCORE)}, "a": ${JSON.stringify(SCORE)}}}`;
    assert.match(problemsOf(text)[0].what, /“a” is there twice/);
  });

  it('survives hostile texts: depth, unfinished strings and comments, names of prototypes', () => {
    const start = performance.now();
    for (const text of [
      '['.repeat(1e6),
      '{"a":'.repeat(1e5),
      '/*'.repeat(5e5),
      '"'.repeat(999_999),
      '"\\'.repeat(4e5),
    ]) {
      assert.ok(problemsOf(text).length > 0);
    }
    assert.ok(performance.now() - start < 20_000);
    const text = '{"coppice": 1, "__proto__": {"model": "m"}, "steps": {"constructor": {"job": "toString"}}}';
    assert.deepEqual(
      problemsOf(text)
        .map(({ what }) => what)
        .sort(),
      ['A recipe has no “__proto__”', 'The step “constructor” cannot be used'],
    );
    assert.equal(({} as { model?: string }).model, undefined);
  });

  it('refuses what would cost memory, time or the stack', async () => {
    const many = (count: number): object =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`s${i}`, { ...SCORE, after: [`s${i + 1}`] }]));
    assert.match(problemOf(recipe({ ...many(12_000), s12000: SCORE })).why, /more than 20000 values/);
    assert.match(problemOf(recipe({ ...many(501), s501: SCORE })).what, /too many steps/);
    assert.deepEqual(problemsOf(recipe({ ...many(499), s499: SCORE })), []);
    const evals = Array.from({ length: 400 }, (_, i): [string, object] => [
      `e${i}`,
      { job: 'eval', options: { text: 'x${v}${v}${v}${v}${v}${v}' } },
    ]);
    const long = recipe(Object.fromEntries(evals), { variables: { v: 'x'.repeat(3e6) } });
    assert.match(problemsOf(long)[0].why, /stand for more text than fits/);
    // Every one has its line, found once.
    const strange = recipe({ a: SCORE }, Object.fromEntries(Array.from({ length: 15_000 }, (_, i) => [`f${i}`, i])));
    const file = join(temporaryFolder(), 'x.coppice.json');
    writeFileSync(file, strange.replaceAll(',', ',\n'));
    const { problems } = await examineRecipe(file);
    assert.equal(problems.length, 15_000);
    assert.equal(problems.at(-1)!.line - problems[0].line, 14_999);
  });

  it('reads a variable whose text has ${, as drafts write it', () => {
    const given = { variables: { text: './$${a}.txt', list: ['$${b}'] }, quick: { text: 'x$${' } };
    const { recipe: found } = parseRecipe(recipe({ a: SCORE }, given), FILE);
    assert.deepEqual(found?.variables, { text: './${a}.txt', list: ['${b}'] });
    assert.deepEqual(found?.quick, { text: 'x${' });
  });

  it('refuses names of its own files, and NUL in a text', () => {
    for (const name of ['lock', 'runs', 'outputs', 'Lock'])
      assert.match(problemOf(recipe({ [name]: SCORE })).why, /lock/);
    assert.match(
      problemOf(recipe({ a: { job: 'prune', options: { out: 'x\0y' } } })).what,
      /a character that no text has/,
    );
  });

  it('checks quick values too', () => {
    const steps = { a: { job: 'prune', options: { criterion: 'magnitude', count: '${n}' } } };
    assert.deepEqual(problemsOf(recipe(steps, { variables: { n: 2 }, quick: { n: 1 } })), []);
    assert.match(problemOf(recipe(steps, { variables: { n: 2 }, quick: { n: 0 } })).what, /count/);
  });

  it('names the line of the first problem', async () => {
    const file = join(temporaryFolder(), 'x.coppice.json');
    writeFileSync(file, '{\n  "coppice": 1,\n  "steps": {\n    "a": { "job": "none" }\n  }\n}\n');
    await assert.rejects(readRecipe(file), (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, /^x\.coppice\.json, line 4: The step “a” cannot be used/);
      return true;
    });
  });
});
