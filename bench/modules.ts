/**
 * Modules: what choosing among attention and FFN modules leaves of a model, against whole blocks, at equal parameters.
 *
 *   npm run bench -- modules [--model PATH] [--rows 10] [--shares 0.1,0.2,0.3] [--tokens 8192] [--windows 24] [--data FILE]
 *     [--text FILE] [--again 0.33] [--arms blocks,both by parameter,…] [--state FILE]
 *
 * SmolLM2-135M-Instruct unless named. Every arm removes in turn on the same rows of a book, and protects the ends: of blocks the one whose
 * absence leaves the lowest KL divergence from the original; of modules (`modules by …`), or of modules and blocks (`both by …`), the
 * part that adds least of it for what it saves: parameters, measured time, or one each (`by kl`). The first round and every fifth
 * measure all parts; the others the share that was best before (`--again`), with the other half of the block that one just went of. An
 * arm fills a share exactly where its modules can. Sets are healed by `refit` on text that the model writes, and measured on windows of
 * WikiText-2. With `--state`, choices and measurements are kept in a file and not repeated.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { openCheckpoint } from '../src/engine/checkpoint/open';
import { layerParameters, moduleParameters } from '../src/engine/checkpoint/parameters';
import { evaluationWindows } from '../src/engine/evaluate/windows';
import { loadRows } from '../src/engine/evaluate/rows';
import { heal } from '../src/engine/heal/heal';
import { DEFAULT_SEED } from '../src/engine/importance/drawing';
import { keepList } from '../src/engine/importance/select';
import { sweepComparisons } from '../src/engine/importance/sweep';
import { Forward } from '../src/engine/model/forward';
import { LastStates } from '../src/engine/model/last-states';
import { type Changes, openModel } from '../src/engine/model/model';
import { releaseState } from '../src/engine/model/states';
import {
  fullView,
  type RemovedPart,
  removedJson,
  removedParts,
  type Step,
  stepsOf,
  viewWithout,
} from '../src/engine/model/view';
import { healingRows, SELF_TEXT } from '../src/engine/retrain/data/healing-rows';
import { beginningOf } from '../src/engine/tokenizer/bos';
import { loadTokenizer } from '../src/engine/tokenizer/tokenizer';
import { shared } from '../test/support/shared';
import { measuring, type Near } from './support/likeness';
import { printMachine } from './support/machine';
import { noteRatio } from './support/ratios';
import { MODEL_OPTION, modelOr } from './support/subject';

type Rule = 'kl' | 'parameter' | 'time';
type Kinds = 'blocks' | 'modules' | 'both';
const ARMS: Readonly<Record<string, { readonly kinds: Kinds; readonly by: Rule }>> = {
  blocks: { kinds: 'blocks', by: 'kl' },
  'modules by parameter': { kinds: 'modules', by: 'parameter' },
  'modules by kl': { kinds: 'modules', by: 'kl' },
  'modules by time': { kinds: 'modules', by: 'time' },
  'both by parameter': { kinds: 'both', by: 'parameter' },
  'both by time': { kinds: 'both', by: 'time' },
};

const { values } = parseArgs({
  options: {
    ...MODEL_OPTION,
    rows: { type: 'string', default: '10' },
    shares: { type: 'string', default: '0.1,0.2,0.3' },
    tokens: { type: 'string', default: '8192' },
    windows: { type: 'string', default: '24' },
    data: { type: 'string', default: SELF_TEXT },
    text: { type: 'string' },
    again: { type: 'string', default: '0.33' },
    arms: { type: 'string', default: 'blocks,both by parameter,modules by parameter' },
    state: { type: 'string' },
  },
});

/** A part that went, and the divergence without it and all before it. */
interface Gone {
  readonly part: RemovedPart;
  readonly kl: number;
  readonly parameters: number;
}

interface Measured {
  readonly removed: readonly (number | string)[];
  readonly share: number;
  readonly chosen: number;
  readonly plain: Near;
  readonly healed: Near;
}

interface State {
  choices: Record<string, Gone[]>;
  measured: Record<string, Measured>;
  seconds: { attention: number; ffn: number } | undefined;
}

const state: State =
  values.state !== undefined && existsSync(values.state)
    ? (JSON.parse(readFileSync(values.state, 'utf8')) as State)
    : { choices: {}, measured: {}, seconds: undefined };
const keep = (): void => {
  if (values.state !== undefined) writeFileSync(values.state, JSON.stringify(state, null, 1));
};

printMachine();
const path = modelOr(values.model);
const checkpoint = await openCheckpoint(path);
const whole = await openModel(checkpoint, { device: 'cpu' });
const { architecture } = whole;
const tokenizer = await loadTokenizer(path);
const blocks = architecture.layers.length;
const kept = keepList(blocks);
const sizes = layerParameters(architecture);
const all = sizes.reduce((a, b) => a + b, 0);
const shares = values.shares.split(',').map(Number);

const drawing = {
  from: 'calibration',
  file: shared('data/prose/sherlock.txt'),
  samples: Number(values.rows),
  length: 128,
} as const;
const { rows } = await loadRows({ ...drawing, seed: DEFAULT_SEED }, checkpoint, architecture, {});
const ids = await tokenizer.encode(
  readFileSync(values.text ?? shared('data/wikitext2/wiki.test.raw.hf-joined.txt'), 'utf8'),
  {
    addSpecialTokens: false,
  },
);
const beginning = beginningOf('auto', { tokenizer, bosTokenId: architecture.bosTokenId });
const { rows: windows } = evaluationWindows(ids, { window: 128, beginning, limit: Number(values.windows) });

const partOf = ({ block, attention, ffn }: Step): RemovedPart =>
  attention && ffn ? { block } : { block, part: attention ? 'attention' : 'ffn' };
const nameOf = (part: RemovedPart): string => String(removedJson([part])[0]);
const parametersOf = ({ block, part }: RemovedPart): number =>
  part === undefined ? sizes[block] : moduleParameters(architecture, block)[part];

/** Seconds of an attention and an FFN over the rows: the least of several. */
async function moduleSeconds(): Promise<{ attention: number; ffn: number }> {
  if (state.seconds) return state.seconds;
  const forward = new Forward(whole, 128);
  const before = await forward.embed(rows.slice(0, 5));
  const least = { attention: Infinity, ffn: Infinity };
  for (const half of ['attention', 'ffn'] as const) {
    const open = await forward.open({ block: 10, attention: half === 'attention', ffn: half === 'ffn' }, true);
    for (let i = 0; i < 30; i++) {
      const start = performance.now();
      for (const chunk of before) (await open.run(chunk)).release();
      least[half] = Math.min(least[half], (performance.now() - start) / 1000);
    }
    await open.close();
  }
  releaseState(before);
  state.seconds = least;
  keep();
  return least;
}

async function weigher(by: Rule): Promise<(part: RemovedPart) => number> {
  if (by === 'kl') return () => 1;
  if (by === 'parameter') return (part) => parametersOf(part) / 1e6;
  const seconds = await moduleSeconds();
  return ({ part }) => (part === undefined ? seconds.attention + seconds.ffn : seconds[part]) * 1000;
}

/** KL divergence without each candidate besides what is gone. Blocks and single modules are two sweeps. */
async function without(gone: readonly RemovedPart[], candidates: readonly RemovedPart[]): Promise<number[]> {
  const view = viewWithout(blocks, gone);
  const found = new Map<string, number>();
  for (const split of [true, false]) {
    const steps = stepsOf(view, split);
    const names = steps.map((step) => nameOf(partOf(step)));
    const wanted = candidates
      .filter(({ part }) => (part !== undefined) === split)
      .map((each) => names.indexOf(nameOf(each)));
    const some = wanted.toSorted((a, b) => a - b);
    if (some.length === 0) continue;
    const { without: each } = await sweepComparisons(whole, states, rows, steps, some, {});
    each.forEach(({ divergences }, i) =>
      found.set(names[some[i]], divergences.reduce((a, b) => a + b, 0) / divergences.length),
    );
  }
  return candidates.map((each) => found.get(nameOf(each))!);
}

/** What may still go, of the kinds that the arm chooses among. */
function openParts(gone: readonly RemovedPart[], kinds: Kinds): RemovedPart[] {
  const view = viewWithout(blocks, gone);
  const free = (steps: readonly Step[]): RemovedPart[] => steps.map(partOf).filter(({ block }) => !kept.has(block));
  return [
    ...(kinds === 'blocks' ? [] : free(stepsOf(view, true))),
    ...(kinds === 'modules' ? [] : free(stepsOf(view)).filter(({ part }) => part === undefined)),
  ];
}

/** Costs when they were measured last, by arm and part. */
const costs: Record<string, Map<string, number>> = {};

/** Removes parts in turn until so many parameters are gone. */
async function choose(arm: string, until: number): Promise<void> {
  const { kinds, by } = ARMS[arm];
  const gone = (state.choices[arm] ??= []);
  const last = (costs[arm] ??= new Map<string, number>());
  const weight = await weigher(by);
  const sum = (): number => gone.reduce((total, { parameters }) => total + parameters, 0);
  while (sum() < until) {
    const now = gone.at(-1)?.kl ?? 0;
    const parts = gone.map(({ part }) => part);
    const open = openParts(parts, kinds);
    const isFull = gone.length % 5 === 0 || last.size === 0;
    const ranked = open.map(nameOf).toSorted((a, b) => (last.get(a) ?? 0) - (last.get(b) ?? 0));
    const some = open.filter((each) => ranked.indexOf(nameOf(each)) < Math.ceil(open.length * Number(values.again)));
    const candidates = isFull ? open : some;
    const start = performance.now();
    const found = (await without(parts, candidates)).map((kl, i) => {
      const cost = (kl - now) / weight(candidates[i]);
      last.set(nameOf(candidates[i]), cost);
      return { part: candidates[i], kl, cost };
    });
    const { part, kl } = found.reduce((a, b) => (b.cost < a.cost ? b : a));
    gone.push({ part, kl, parameters: parametersOf(part) });
    // The other half of its block, whose cost changes most, is measured again.
    if (part.part) last.set(`${part.block}.${part.part === 'ffn' ? 'attention' : 'ffn'}`, -Infinity);
    keep();
    const seconds = ((performance.now() - start) / 1000).toFixed(0);
    const place = ranked.indexOf(nameOf(part)) + 1;
    console.log(
      `${arm}: ${nameOf(part)}, KL ${kl.toFixed(4)}, ${((100 * sum()) / all).toFixed(1)} % (place ${place} before, ${candidates.length} measured, ${seconds} s)`,
    );
  }
}

/** The first parts that make up a share at most, filled with the modules that cost least where these fit. */
async function setOf(arm: string, share: number): Promise<{ readonly parts: RemovedPart[]; readonly kl: number }> {
  const goal = share * all + 0.003 * all;
  const parts: RemovedPart[] = [];
  let gone = 0;
  let kl = 0;
  for (const each of state.choices[arm]) {
    if (gone + each.parameters > goal) break;
    parts.push(each.part);
    gone += each.parameters;
    kl = each.kl;
  }
  if (ARMS[arm].kinds === 'blocks') return { parts, kl };
  for (;;) {
    const open = openParts(parts, 'modules').filter((each) => gone + parametersOf(each) <= goal);
    if (open.length === 0) return { parts, kl };
    const found = (await without(parts, open)).map((each, i) => ({
      kl: each,
      cost: (each - kl) / parametersOf(open[i]),
      part: open[i],
    }));
    const least = found.reduce((a, b) => (b.cost < a.cost ? b : a));
    console.log(`${arm} at ${share}: filled with ${nameOf(least.part)}`);
    parts.push(least.part);
    gone += parametersOf(least.part);
    kl = least.kl;
  }
}

const states = await LastStates.compute(whole, rows, stepsOf(fullView(blocks)), whole.memory / 2);
const text = { data: values.data.split(','), tokens: Number(values.tokens), seed: DEFAULT_SEED, heldOut: 0 };
let healing: Awaited<ReturnType<typeof healingRows>>['fit'] | undefined;

await measuring(whole, windows, async (measure) => {
  for (const share of shares) {
    for (const arm of values.arms.split(',')) {
      await choose(arm, share * all - 1);
      const key = `${arm} ${share}`;
      if (!state.measured[key]) {
        const { parts, kl } = await setOf(arm, share);
        const view = viewWithout(blocks, parts);
        const look = async (changes: Changes): Promise<Near> => {
          const model = await openModel(checkpoint, { device: 'cpu', changes });
          try {
            return await measure(model, view);
          } finally {
            await model.close();
          }
        };
        healing ??= (await healingRows(text, { author: whole, tokenizer, defaults: { tokens: 8192, length: 128 } }, {}))
          .fit;
        const { patches } = await heal(whole, view, healing, { method: 'refit', measure: false });
        const gone = parts.reduce((total, part) => total + parametersOf(part), 0);
        const removed = removedJson(removedParts(view));
        state.measured[key] = {
          removed,
          share: gone / all,
          chosen: kl,
          plain: await look([]),
          healed: await look([patches]),
        };
        keep();
      }
      const { removed, share: real, chosen, plain, healed } = state.measured[key];
      noteRatio(
        `healed perplexity without ${(100 * share).toFixed(0)} % by ${arm}, against plain`,
        healed.ppl / plain.ppl,
      );
      console.log(
        `| ${arm} | ${(100 * real).toFixed(2)} % | ${removed.join(', ')} | ${chosen.toFixed(4)} | ${plain.kl.toFixed(4)} | ${healed.kl.toFixed(4)} | ${plain.ppl.toFixed(1)} | ${healed.ppl.toFixed(1)} |`,
      );
    }
  }
});
await states.close();
await whole.close();
