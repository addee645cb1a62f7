/**
 * Energy: how well single blocks and pairs tell the KL divergence of a set, and what its choice leaves after healing, beside greedy's.
 *
 *   npm run bench -- energy [--model PATH] [--counts 6,12] [--sets 200] [--rows 10] [--tokens 8192] [--windows 24] [--text FILE]
 *     [--only ranks|choices] [--state FILE]
 *
 * SmolLM2-135M-Instruct unless named; rows of 128 tokens of a book; the ends are protected. Ranks: Spearman's correlation, over random
 * sets, of their KL divergence with the sum of single blocks, with the energy on all rows, and with that on as many rows as
 * `coppice score` takes. Choices: `coppice score` by greedy (KL divergence) and by energy, in turns; each set is healed by
 * `refit` on text that the model writes, and measured on windows of WikiText-2. With `--state`, what was measured is kept in a file.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { openCheckpoint } from '../src/engine/checkpoint/open';
import { loadRows } from '../src/engine/evaluate/rows';
import { evaluationWindows } from '../src/engine/evaluate/windows';
import { heal } from '../src/engine/heal/heal';
import { pairRows } from '../src/engine/importance/cost';
import { DEFAULT_SEED } from '../src/engine/importance/drawing';
import { energiesOf, energyOf, pairsOf } from '../src/engine/importance/energy';
import { rankCorrelation } from '../src/engine/importance/rank-correlation';
import { setOf } from '../src/engine/importance/result';
import { keepList } from '../src/engine/importance/select';
import { divergencesOfSets } from '../src/engine/importance/set-divergence';
import { LastStates } from '../src/engine/model/last-states';
import { type Changes, openModel } from '../src/engine/model/model';
import { fullView, stepsOf, viewWithout } from '../src/engine/model/view';
import { Random } from '../src/engine/random';
import { healingRows, SELF_TEXT } from '../src/engine/retrain/data/healing-rows';
import { beginningOf } from '../src/engine/tokenizer/bos';
import { loadTokenizer } from '../src/engine/tokenizer/tokenizer';
import { inThisProcess } from '../src/jobs/run-spec';
import { shared } from '../test/support/shared';
import { measuring, type Near } from './support/likeness';
import { printMachine } from './support/machine';
import { noteRatio } from './support/ratios';
import { MODEL_OPTION, modelOr } from './support/subject';

const { values } = parseArgs({
  options: {
    ...MODEL_OPTION,
    counts: { type: 'string', default: '6,12' },
    sets: { type: 'string', default: '200' },
    rows: { type: 'string', default: '10' },
    tokens: { type: 'string', default: '8192' },
    windows: { type: 'string', default: '24' },
    text: { type: 'string' },
    only: { type: 'string' },
    state: { type: 'string' },
  },
});

interface Choice {
  readonly seconds: number;
  readonly blocks: readonly number[];
  readonly plain: Near;
  readonly healed: Near;
}
interface State {
  /** KL divergences of sets by their blocks, on all rows; and on those of the pairs. */
  kl: Record<string, number>;
  some: Record<string, number>;
  choices: Record<string, Choice>;
}
const state: State =
  values.state !== undefined && existsSync(values.state)
    ? (JSON.parse(readFileSync(values.state, 'utf8')) as State)
    : { kl: {}, some: {}, choices: {} };
const keep = (): void => {
  if (values.state !== undefined) writeFileSync(values.state, `${JSON.stringify(state)}\n`);
};

printMachine();
const path = modelOr(values.model);
const checkpoint = await openCheckpoint(path);
const whole = await openModel(checkpoint, { device: 'cpu' });
const { architecture } = whole;
const blocks = architecture.layers.length;
const kept = keepList(blocks);
const open = [...Array(blocks).keys()].filter((block) => !kept.has(block));
const counts = values.counts.split(',').map(Number);
const file = shared('data/prose/sherlock.txt');
const drawing = { from: 'calibration', file, samples: Number(values.rows), length: 128 } as const;
const { rows } = await loadRows({ ...drawing, seed: DEFAULT_SEED }, checkpoint, architecture, {});

if (values.only !== 'choices') await compareRanks();
if (values.only !== 'ranks') await compareChoices();
await whole.close();

async function compareRanks(): Promise<void> {
  const teacher = await LastStates.compute(whole, rows, stepsOf(fullView(blocks)), whole.memory / 2);
  const subject = { model: whole, view: fullView(blocks), rows, teacher };
  const some = [...rows.keys()].slice(0, pairRows(rows.length));
  const measure = async (sets: readonly (readonly number[])[], of: 'kl' | 'some'): Promise<void> => {
    const left = sets.filter((set) => state[of][set.join()] === undefined);
    for (let at = 0; at < left.length; at += 50) {
      const group = left.slice(at, at + 50);
      const found = await divergencesOfSets(subject, group, of === 'some' ? some : undefined);
      group.forEach((set, i) => (state[of][set.join()] = found[i].kl));
      keep();
    }
  };
  const pairs = pairsOf(open.length).map(([i, j]) => [open[i], open[j]]);
  const single = open.map((block) => [block]);
  for (const sets of [single, pairs]) for (const of of ['kl', 'some'] as const) await measure(sets, of);
  const numbers = (sets: readonly (readonly number[])[], of: 'kl' | 'some'): number[] =>
    sets.map((set) => state[of][set.join()]);
  const ofAll = energiesOf(numbers(single, 'kl'), numbers(pairs, 'kl'));
  const ofSome = energiesOf(numbers(single, 'some'), numbers(pairs, 'some'));
  const places = (set: readonly number[]): number[] => set.map((block) => open.indexOf(block));
  console.log(
    '\n| blocks | sets | sum of single blocks | energy | energy on fewer rows |\n| --- | --- | --- | --- | --- |',
  );
  for (const count of counts) {
    const sets = randomSets(count);
    await measure(sets, 'kl');
    const truth = numbers(sets, 'kl');
    const by = (estimate: (set: readonly number[]) => number): string =>
      rankCorrelation(sets.map(estimate), truth).toFixed(3);
    const sum = by((set) => set.reduce((total, block) => total + state.kl[String(block)], 0));
    const [all, fewer] = [ofAll, ofSome].map((terms) => by((set) => energyOf(terms, places(set))));
    console.log(`| ${count} | ${sets.length} | ${sum} | ${all} | ${fewer} |`);
  }
  await teacher.close();
}

/** Distinct sets, the same for one count each time. */
function randomSets(count: number): number[][] {
  const random = new Random(7 + count);
  const found = new Map<string, number[]>();
  while (found.size < Number(values.sets)) {
    const set = random
      .shuffle([...open])
      .slice(0, count)
      .sort((a, b) => a - b);
    found.set(set.join(), set);
  }
  return [...found.values()];
}

async function compareChoices(): Promise<void> {
  const tokenizer = await loadTokenizer(path);
  const ids = await tokenizer.encode(
    readFileSync(values.text ?? shared('data/wikitext2/wiki.test.raw.hf-joined.txt'), 'utf8'),
    { addSpecialTokens: false },
  );
  const beginning = beginningOf('auto', { tokenizer, bosTokenId: architecture.bosTokenId });
  const { rows: windows } = evaluationWindows(ids, { window: 128, beginning, limit: Number(values.windows) });
  const text = { data: [SELF_TEXT], tokens: Number(values.tokens), seed: DEFAULT_SEED, heldOut: 0 };
  const defaults = { tokens: 8192, length: 128 };
  const run = inThisProcess();
  let fit: Awaited<ReturnType<typeof healingRows>>['fit'] | undefined;
  await measuring(whole, windows, async (measure) => {
    const look = async (changes: Changes, removed: readonly number[]): Promise<Near> => {
      const model = await openModel(checkpoint, { device: 'cpu', changes });
      try {
        return await measure(
          model,
          viewWithout(
            blocks,
            removed.map((block) => ({ block })),
          ),
        );
      } finally {
        await model.close();
      }
    };
    console.log('\n| choice | seconds | blocks | KL divergence | healed |\n| --- | --- | --- | --- | --- |');
    for (const count of counts) {
      for (const criterion of ['greedy', 'energy'] as const) {
        const name = `${criterion}, ${count}`;
        if (!state.choices[name]) {
          const start = performance.now();
          const { result } = await run<'score'>({
            ...{ kind: 'score', checkpoint: path, criterion, objective: 'kl', count, keep: [...kept] },
            ...{ calibration: file, samples: rows.length, length: 128 },
          });
          const seconds = (performance.now() - start) / 1000;
          const chosen = setOf(result)?.blocks ?? result.removals!.map(({ block }) => block).sort((a, b) => a - b);
          fit ??= (await healingRows(text, { author: whole, tokenizer, defaults }, {})).fit;
          const view = viewWithout(
            blocks,
            chosen.map((block) => ({ block })),
          );
          const { patches } = await heal(whole, view, fit, { method: 'refit', measure: false });
          const [plain, healed] = [await look([], chosen), await look([patches], chosen)];
          state.choices[name] = { seconds, blocks: chosen, plain, healed };
          keep();
        }
        const { seconds, blocks: set, plain, healed } = state.choices[name];
        console.log(
          `| ${name} | ${seconds.toFixed(0)} | ${set.join(', ')} | ${plain.kl.toFixed(4)} | ${healed.kl.toFixed(4)} |`,
        );
      }
      const [greedy, energy] = ['greedy', 'energy'].map((name) => state.choices[`${name}, ${count}`]);
      noteRatio(
        `healed KL divergence without ${count} blocks: greedy, against energy`,
        greedy.healed.kl / energy.healed.kl,
      );
      noteRatio(`time to choose ${count} blocks: greedy, against energy`, greedy.seconds / energy.seconds);
    }
  });
}
