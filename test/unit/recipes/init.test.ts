/** Drafts of recipes: what a goal means for a model, sizes as the writers lay them out, and texts that are recipes. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import { parametersReadOf } from '../../../src/engine/checkpoint/parameters';
import { withoutLayers } from '../../../src/engine/checkpoint/architecture';
import { UserError } from '../../../src/engine/errors';
import { withWeights } from '../../../src/engine/weights/checkpoint';
import { writeGguf } from '../../../src/engine/write/gguf/write-gguf';
import { writePruned } from '../../../src/engine/write/write-pruned';
import { trainedRows } from '../../../src/engine/retrain/amounts';
import { workOf } from '../../../src/estimates/job';
import { MachineSpeeds } from '../../../src/estimates/machine';
import { factsOf, modelsAt } from '../../../src/estimates/models';
import type { JobRunner } from '../../../src/jobs/runner';
import { dataAmount } from '../../../src/jobs/training-data';
import { smallest } from '../../../src/recipes/init/choose';
import { draftRecipe } from '../../../src/recipes/init/draft';
import { movedRecipe } from '../../../src/recipes/init/paper';
import { writtenBytes } from '../../../src/estimates/written-bytes';
import type { DraftedRecipe, Goal, RecipeWish } from '../../../src/recipes/init/wish';
import { type ParseError, parseTree } from 'jsonc-parser';
import { titleOf } from '../../../src/recipes/title';
import { parseRecipe } from '../../../src/recipes/read';
import type { Recipe } from '../../../src/recipes/recipe';
import { familyToy } from '../../support/family-toys';
import { describeShared } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';
import { tinyCheckpoint } from '../../support/tiny-models';

const sample = resolve(import.meta.dirname, '../../../media/sample');

function recipeIn(text: string, file = '/nowhere/it.coppice.json'): Recipe {
  const { recipe, problems } = parseRecipe(text, file);
  assert.deepEqual(problems, [], text);
  return recipe!;
}

async function drafted(model: string, wish: Partial<RecipeWish> = {}): Promise<DraftedRecipe & { recipe: Recipe }> {
  const file = join(temporaryFolder(), 'it.coppice.json');
  const draft = await draftRecipe(model, { file, ...wish });
  return { ...draft, recipe: recipeIn(draft.text, file) };
}

const refused = (goal: Goal, words: RegExp, model = sample): Promise<void> =>
  assert.rejects(
    drafted(model, { goal }),
    (error) => error instanceof UserError && words.test(`${error.message} ${error.action}`),
  );

const jobsOf = ({ steps }: Recipe): string => steps.map(({ job }) => job).join(' ');

describe('recipes: drafts', () => {
  it('trim a vocabulary that was only counted, by the size that its model will have', async () => {
    const goal: Goal = { kind: 'fit', bytes: 2_200_000 };
    const options = {
      heldOut: '/texts/other.txt',
      min: 2,
      multiple: 64,
      keepLanguages: ['en' as const],
      maxBitsGrowth: 0.09,
    };
    const trimmed = { texts: ['/texts/chats.txt'], kept: 1152, size: 2048, options };
    const wish = { goal, format: 'gguf', type: 'q8_0' } as const;
    const { recipe, removes, expectedBytes, notes, text } = await drafted(sample, { ...wish, trimmed });
    const whole = await drafted(sample, wish);
    assert.ok(removes < whole.removes && removes > 0, `${removes}, ${whole.removes}`);
    assert.ok(expectedBytes <= goal.bytes);
    assert.equal(jobsOf(recipe).split(' ')[0], 'vocabulary');
    const { texts, heldOut, ...more } = recipe.steps[0].options as Record<string, unknown>;
    assert.match(JSON.stringify([texts, heldOut]), /texts\/chats\.txt"\],"[./]*texts\/other\.txt"/);
    const out = './sample-trimmed';
    assert.deepEqual(more, { min: 2, keepLanguages: ['en'], maxBitsGrowth: 0.09, out }, 'no default is written');
    assert.doesNotMatch(text, /\/\/ "maxBitsGrowth"/);
    assert.match(notes[0], /^1,152 of 2,048 tokens stay\. The step says/);
    assert.match(notes[2], /^With all tokens it would lose \d of 12 blocks/);
  });

  it('lose a quarter of the blocks, with the texts that lie beside the model', async () => {
    const { recipe, removes, blocks, warnings } = await drafted(sample);
    assert.deepEqual([removes, blocks], [3, 12]);
    assert.equal(jobsOf(recipe), 'score prune heal export eval grid generate generate eval');
    assert.equal(recipe.variables.count, 3);
    assert.match(JSON.stringify(recipe.variables.calibration), /media\/sample\/calibration\.txt"$/);
    assert.match(JSON.stringify(recipe.variables.text), /media\/sample\/evaluation\.txt"$/);
    assert.deepEqual(warnings, []);
  });

  describe('for a time', () => {
    /** A machine that has trained, written and scored this model at these speeds. */
    const knownSpeeds = async (): Promise<MachineSpeeds> => {
      const checkpoint = await openCheckpoint(sample);
      const speeds = MachineSpeeds.none(2);
      const models = modelsAt((path) => (path === sample ? factsOf(checkpoint) : undefined));
      const options = { checkpoint: sample, remove: [4, 5, 6], data: ['self'], teacher: sample, heal: 'first' };
      for (const work of workOf(
        { kind: 'retrain', options: { ...options, steps: 4000, batch: 4, length: 128 } },
        models,
      )!) {
        if (work.kind === 'products') speeds.learn(work, 60, 'cpu');
      }
      return speeds;
    };

    it('train as long as lets it end in time, healed first and taught by the original', async () => {
      const timing = { speeds: await knownSpeeds() };
      const [short, long] = [
        await drafted(sample, { minutes: 5, timing }),
        await drafted(sample, { minutes: 20, timing }),
      ];
      assert.equal(jobsOf(long.recipe), 'score prune retrain export eval grid generate generate eval tasks');
      const steps = ({ recipe }: { recipe: Recipe }): number => recipe.variables.trainingSteps as number;
      assert.ok(steps(long) > 3 * steps(short), `${steps(short)} ${steps(long)}`);
      const { options } = long.recipe.steps.find(({ job }) => job === 'retrain')!;
      assert.deepEqual([options.heal, options.data, options.teacher], ['first', ['self'], '${model}']);
      // Each row is read four times.
      const rows = trainedRows((long.recipe.variables.selfTokens as number) / 128);
      assert.equal(steps(long), 4 * Math.floor(rows / 4));
      assert.deepEqual(long.recipe.steps[0].options.criterion, 'energy');
      assert.deepEqual(long.recipe.steps[0].options.keep, [0, 1, 2, 3, 10, 11]);
      assert.equal(options.lr, 0.001);
      const brief = await drafted(sample, { minutes: 0.1, timing });
      assert.equal(brief.recipe.steps.find(({ job }) => job === 'retrain')!.options.lr, 0.002);
    });

    it('say so where the time is too short, or nothing is removed', async () => {
      const timing = { speeds: await knownSpeeds() };
      const { warnings } = await drafted(sample, { minutes: 0.1, timing });
      assert.match(warnings.join(), /enough for 4 steps of training. Fewer than 60 change little/);
      const whole = await drafted(sample, { minutes: 5, timing, goal: { kind: 'fit', bytes: 1e9 } });
      assert.equal(whole.removes, 0);
      assert.match(whole.warnings.join(), /nothing is trained, whatever the time/);
    });

    it('read data at most four times', async () => {
      const timing = { speeds: await knownSpeeds() };
      const data = join(sample, 'retrain.jsonl');
      const { recipe } = await drafted(sample, { minutes: 1000, timing, data });
      const { options } = recipe.steps.find(({ job }) => job === 'retrain')!;
      assert.deepEqual(options.data, ['${data}']);
      const rows = trainedRows(dataAmount([data], 128)!.examples);
      assert.equal(recipe.variables.trainingSteps, 4 * Math.floor(rows / 4));
    });

    it('try how fast the machine trains the model where that is short beside the time', async () => {
      const asked: string[] = [];
      const run = (({ kind, steps }: { kind: string; steps: number }) => {
        asked.push(`${kind} ${steps}`);
        return Promise.resolve({});
      }) as unknown as JobRunner;
      const speeds = await knownSpeeds();
      await drafted(sample, { minutes: 20, timing: { speeds, run } });
      assert.deepEqual(asked, ['retrain 8']);
      await drafted(sample, { minutes: 0.01, timing: { speeds, run } });
      assert.deepEqual(asked, ['retrain 8']);
    });
  });

  it('are as fast as is asked for, with the fewest blocks', async () => {
    const { architecture } = await openCheckpoint(sample);
    const speed = (count: number): number =>
      parametersReadOf(architecture!) / parametersReadOf(withoutLayers(architecture!, smallest(architecture!, count)));
    const { removes } = await drafted(sample, { goal: { kind: 'faster', factor: 1.3 } });
    assert.ok(speed(removes) >= 1.3 && speed(removes - 1) < 1.3, String(removes));
  });

  it('are as fast as another model', async () => {
    const shorter = temporaryFolder();
    const folder = join(shorter, 'nine');
    await writePruned(await openCheckpoint(sample), [4, 5, 6], folder);
    const { removes } = await drafted(sample, { goal: { kind: 'as-fast-as', checkpoint: folder } });
    assert.equal(removes, 3);
    await refused({ kind: 'as-fast-as', checkpoint: sample }, /as fast already/);
  });

  it('fit: coarser types before fewer blocks, and the fewest blocks', async () => {
    const tiny = tinyCheckpoint('llama-gqa-tied', { tokenizer: true });
    const checkpoint = await openCheckpoint(tiny);
    const bytes = (type: string, removed: readonly number[] = []): Promise<number> =>
      writtenBytes(checkpoint, { format: 'gguf', type, removed });
    const fit = async (limit: number): Promise<DraftedRecipe> =>
      drafted(tiny, { goal: { kind: 'fit', bytes: limit }, format: 'gguf' });
    const whole = await fit(await bytes('q8_0'));
    assert.deepEqual([whole.type, whole.removes], ['q8_0', 0]);
    const coarser = await fit((await bytes('q8_0')) - 1);
    assert.deepEqual([coarser.type, coarser.removes], ['q5_k_m', 0]);
    const shorter = await fit((await bytes('q4_0')) - 1);
    assert.deepEqual([shorter.type, shorter.removes], ['q4_0', 1]);
    assert.ok(shorter.expectedBytes < (await bytes('q4_0')));
    await refused({ kind: 'fit', bytes: 1000 }, /does not fit into 1\.0 kB: it takes .* as q4_0 without/, tiny);
  });

  it('round by an importance matrix where a type has a search that it guides', async () => {
    const shipped = async (wish: Partial<RecipeWish>): Promise<Record<string, unknown>> => {
      const { recipe } = await drafted(sample, { goal: { kind: 'fewer', share: 0.25 }, format: 'gguf', ...wish });
      const { imatrix, calibration, share, samples, application } = recipe.steps.find(({ job }) => job === 'export')!
        .options as Record<string, unknown>;
      return { imatrix, calibration, share, samples, application };
    };
    const none = { imatrix: undefined, calibration: undefined, share: undefined, samples: undefined };
    const texts = { calibration: 'chats.txt', text: 'other.txt' };
    assert.deepEqual(await shipped({ type: 'q8_0', ...texts }), { ...none, application: undefined });
    const by = { imatrix: 'auto', calibration: '${calibration}', samples: '${samples}', application: undefined };
    assert.deepEqual(await shipped({ type: 'q4_0', ...texts }), { ...by, share: undefined });
    assert.deepEqual(await shipped({ type: 'q4_k_m', calibration: 'chats.txt', text: 'chats.txt' }), {
      ...by,
      share: 'choose',
    });
    const whole = await shipped({ goal: { kind: 'fit', bytes: 2_200_000 }, ...texts });
    assert.deepEqual(whole, { ...by, share: undefined });
    const application = join(sample, 'retrain.jsonl');
    const own = await shipped({ type: 'q4_0', application });
    assert.deepEqual(own, { ...none, imatrix: 'auto', application: '${application}' });
  });

  it('fit with one type alone, and with the limit that the export keeps', async () => {
    const tiny = tinyCheckpoint('llama-gqa-tied', { tokenizer: true });
    const bytes = (await writtenBytes(await openCheckpoint(tiny), { format: 'gguf', type: 'q8_0', removed: [] })) - 1;
    const { recipe, type, removes } = await drafted(tiny, { goal: { kind: 'fit', bytes }, type: 'q8_0' });
    assert.deepEqual([type, removes], ['q8_0', 1]);
    assert.deepEqual(recipe.steps.find(({ job }) => job === 'export')?.limits, { maxBytes: bytes });
    await assert.rejects(drafted(tiny, { type: 'q9' }), /q9 cannot be shipped/);
  });

  it('export a quantized GGUF file itself, with its types and what was found, and no larger than it is', async () => {
    const checkpoint = await openCheckpoint(tinyCheckpoint('llama-gqa-tied', { tokenizer: true }));
    const file = join(temporaryFolder(), 'toy-q4_0.gguf');
    await withWeights(checkpoint, (weights) => writeGguf(checkpoint, weights, file, { type: 'q4_0' }));
    const goal = { kind: 'fewer', share: 0.25 } as const;
    const { recipe, type, expectedBytes, warnings } = await drafted(file, { goal });
    assert.equal(type, null);
    assert.ok(expectedBytes < statSync(file).size, String(expectedBytes));
    assert.ok(!warnings.join().includes('larger'));
    const exportOf = ({ steps }: Recipe): Recipe['steps'][number]['options'] =>
      steps.find(({ job }) => job === 'export')!.options;
    const { checkpoint: from, ...shipped } = exportOf(recipe);
    assert.equal(from, undefined);
    assert.deepEqual(shipped, { heal: '${steps.healed}', format: 'gguf', out: './toy-q4_0-shorter.gguf' });
    const trained = await drafted(file, { goal, data: 'train.jsonl', tasks: 'tasks' });
    const { heal, adapter } = exportOf(trained.recipe);
    assert.deepEqual([heal, adapter], ['${steps.healed}', '${steps.retrained}']);
    // What no step reads is not written.
    const chosen = recipe.steps.find(({ name }) => name === 'chosen')!;
    assert.deepEqual([chosen.job, chosen.options.dryRun, chosen.options.out], ['prune', true, undefined]);
    const tasks = trained.recipe.steps.find(({ job }) => job === 'tasks')!.options;
    // What ships is asked itself.
    assert.deepEqual([tasks.checkpoints, tasks.adapter], [['${model}', '${steps.shipped}'], undefined]);
  });

  it('take the smallest blocks in place of those that will go, so that nothing becomes larger than was said', async () => {
    const { architecture } = await openCheckpoint(sample);
    assert.deepEqual(smallest(architecture!, 2), [4, 5]);
    const sizes = architecture!.layers.map((_, block) => (block === 6 || block === 8 ? 100 : 120));
    assert.deepEqual(smallest(architecture!, 3, sizes), [4, 6, 8]);
  });

  it('say first that what ships is larger than the model', async () => {
    const tiny = tinyCheckpoint('llama-gqa-tied', { tokenizer: true });
    const { warnings } = await drafted(tiny, { format: 'onnx', type: 'fp32' });
    assert.match(warnings[0], /larger than the model: about [\d.]+ kB, and it has [\d.]+ kB now/);
  });

  it('refuse what no model stands, and say what is possible', async () => {
    await refused({ kind: 'fewer', share: 0.9 }, /Give a share from 0\.05 to 0\.46/);
    await refused({ kind: 'faster', factor: 9 }, /without half of its blocks \(6 of 12\)/);
    await refused({ kind: 'faster', factor: 1 }, /as fast already/);
  });

  it('judge by what chose nothing: another text, or the rest of the only one', async () => {
    const text = join(sample, 'calibration.txt');
    const options = ({ steps }: Recipe, name: string): Recipe['steps'][number]['options'] =>
      steps.find((step) => step.name === name)!.options;
    for (const wish of [
      { calibration: text, text },
      { text, calibration: undefined },
    ]) {
      const home = tinyCheckpoint('llama-gqa-tied', { tokenizer: true });
      const { recipe, warnings } = await drafted(home, wish);
      assert.match(
        warnings.join(),
        /There is one text: its first 70 % choose the blocks, and quality is measured on the rest/,
      );
      assert.equal(options(recipe, 'scores').share, 'choose');
      for (const name of ['before', 'quality']) {
        const { text: read, calibration, share } = options(recipe, name);
        assert.deepEqual([read, calibration, share], ['${calibration}', undefined, 'judge'], name);
      }
    }
    const two = await drafted(sample);
    assert.equal(options(two.recipe, 'scores').share, undefined);
    assert.equal(options(two.recipe, 'quality').text, '${text}');
    assert.equal(options(two.recipe, 'quality').repetition, 8);
    assert.ok(two.warnings.every((warning) => !warning.includes('one text')));
  });

  it('read the application’s text in every step, and none beside it', async () => {
    const application = join(temporaryFolder(), 'prompts.txt');
    writeFileSync(application, Array.from({ length: 80 }, (_, i) => `Tell me about the town number ${i}.`).join('\n'));
    const { recipe, warnings, notes } = await drafted(sample, { application });
    const read = recipe.steps.filter(({ options }) => options.application !== undefined);
    assert.deepEqual(
      read.map(({ name, options }) => [name, options.application]),
      ['scores', 'healed', 'retrained', 'before', 'quality'].map((name) => [name, '${application}']),
    );
    for (const { options } of recipe.steps) {
      for (const name of ['calibration', 'data', 'text', 'share']) assert.equal(options[name], undefined, name);
    }
    assert.ok(notes.some((note) => note.includes('prompts.txt has 80 records: ')));
    assert.ok(warnings.every((warning) => !warning.includes('text')));
  });

  it('warn of a third of the blocks, and of a text that is missing', async () => {
    assert.match(
      (await drafted(sample, { goal: { kind: 'fewer', share: 0.5 } })).warnings.join(),
      /50 % of the blocks/,
    );
    const tiny = tinyCheckpoint('llama-gqa-tied', { tokenizer: true });
    const { warnings, recipe } = await drafted(tiny);
    assert.match(warnings.join(), /No text was found/);
    assert.equal(recipe.variables.calibration, './data/calibration.txt');
  });

  it('find texts in a folder beside the recipe, and none that is no prose', async () => {
    const home = temporaryFolder();
    mkdirSync(join(home, 'data'));
    const prose = 'The river bends, and the mill stands. '.repeat(200);
    for (const name of ['LICENSE.txt', 'requirements.txt', 'data/prose.txt', 'data/test.txt', 'data/tiny.txt']) {
      writeFileSync(join(home, name), name === 'data/tiny.txt' ? 'short' : prose);
    }
    const tiny = tinyCheckpoint('llama-gqa-tied', { tokenizer: true });
    const { text } = await draftRecipe(tiny, { file: join(home, 'it.coppice.json') });
    const { calibration, text: measured } = recipeIn(text).variables;
    assert.deepEqual([calibration, measured], ['./data/prose.txt', './data/test.txt']);
  });

  it('have tasks, training and any format', async () => {
    for (const format of ['gguf', 'onnx', 'safetensors'] as const) {
      const tiny = tinyCheckpoint('llama-gqa-tied', { tokenizer: true });
      const { recipe } = await drafted(tiny, { format, tasks: 'tasks', data: 'train.jsonl' });
      assert.equal(jobsOf(recipe), 'score prune heal retrain export eval grid generate generate eval tasks');
      const [shipped, quality] = ['shipped', 'quality'].map((name) => recipe.steps.find((step) => step.name === name)!);
      assert.equal(shipped.options.checkpoint, '${steps.retrained}');
      // Nothing but a runtime reads ONNX.
      assert.equal(quality.options.checkpoint, format === 'onnx' ? '${steps.retrained}' : '${steps.shipped}');
    }
  });

  it('name nothing by a number of blocks that a quick try does not remove', async () => {
    for (const goal of [
      { kind: 'fewer', share: 0.25 },
      { kind: 'faster', factor: 1.3 },
    ] as const) {
      const { recipe } = await drafted(sample, { goal, format: 'safetensors' });
      const out = recipe.steps.find(({ job }) => job === 'export')!.options.out as string;
      assert.match(out, goal.kind === 'fewer' ? /^\.\/sample-shorter-safetensors$/ : /^\.\/sample-faster-safetensors$/);
      assert.equal(
        titleOf(recipe, recipe.variables),
        `sample without ${goal.kind === 'fewer' ? 3 : Number(recipe.variables.count)} of its 12 blocks`,
      );
      assert.equal(titleOf(recipe, { ...recipe.variables, ...recipe.quick }), 'sample without 2 of its 12 blocks');
    }
  });

  it('have no trailing comma, also where parts of them are comments', async () => {
    const models = [sample, tinyCheckpoint('gemma3-pattern', { tokenizer: true })];
    for (const model of models) {
      const { text } = await drafted(model, { tasks: 'tasks', data: 'train.jsonl' });
      const errors: ParseError[] = [];
      parseTree(text, errors, { allowTrailingComma: false, disallowComments: false });
      assert.deepEqual(errors, [], text);
      const uncommented = text.replace(/^(\s*)\/\/ ("\w+": (?:[\d.]+|"[^"]*"),?)$/gm, '$1$2');
      assert.notEqual(uncommented, text);
      recipeIn(uncommented);
    }
  });

  it('take names with a reference in them as they are', async () => {
    const home = temporaryFolder();
    const odd = join(home, 'a ${model} "b"');
    mkdirSync(odd);
    for (const name of readdirSync(sample).filter((each) => !each.endsWith('.txt')))
      copyFileSync(join(sample, name), join(odd, name));
    const { text } = await draftRecipe(odd, { file: join(home, 'it.coppice.json') });
    assert.equal(recipeIn(text).model, './a $${model} "b"');
    assert.match(titleOf(recipeIn(text), { count: 3 }), /^a \$\{model\} "b" without 3 of/);
  });
});

describe('recipes: those of the paper for a model', () => {
  const folder = resolve(import.meta.dirname, '../../../recipes/shortened-llama');

  it('start at their new place, and keep their comments', () => {
    const source = '{ // why\n "coppice": 1, "model": "../m", "variables": { "calibration": "../c.txt", "n": 1 } }';
    const file = '/here/mine/it.coppice.json';
    const moved = movedRecipe(source, '/there/recipes/x.coppice.json', '/here/model', { file, text: '/here/t.txt' });
    const words =
      '{ // why\n "coppice": 1, "model": "../model", "variables": { "calibration": "../../there/c.txt", "n": 1 } }';
    assert.equal(moved, words);
  });

  for (const name of readdirSync(folder).filter((each) => each.endsWith('.coppice.json'))) {
    it(`${name} is a recipe for another model`, () => {
      const file = join(temporaryFolder(), name);
      const moved = movedRecipe(readFileSync(join(folder, name), 'utf8'), join(folder, name), sample, { file });
      recipeIn(moved, file);
    });
  }
});

describeShared('recipes: drafts for every family', () => {
  const NAMES = [
    ...(['gemma-tied', 'gemma2-softcap', 'gemma3-pattern', 'olmo2-postnorm'] as const),
    ...(['granite-multipliers', 'llama-yarn', 'phi3-longrope', 'smollm3-nope'] as const),
  ];

  for (const name of NAMES) {
    it(name, async () => {
      const { recipe, removes } = await drafted(familyToy(name));
      assert.ok(removes > 0);
      assert.match(jobsOf(recipe), /score prune heal export eval/);
    });
  }
});
