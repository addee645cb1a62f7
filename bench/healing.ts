/**
 * Healing: what closed form and training bring back of the perplexity that pruning costs, at equal seconds.
 *
 *   npm run bench -- healing [ARM…] [--model PATH] [--remove 13-18] [--data FILE] [--text FILE] [--tokens 32768]
 *                            [--seconds 240] [--every 60] [--batch 4] [--lr 1e-3] [--teacher-weight 1] [--json FILE]
 *
 * SmolLM2-135M-Instruct, unless another model is named, loses six of its 30 blocks. Arms, all unless named: `plain`; `healed`,
 * refitted in closed form; `lora`, an adapter on the plain weights; `healed+lora`, one on the healed weights; `healed+teacher`, the
 * same distilled from the whole model; `healed+teacher+cuts`, that on the blocks next to the cuts only. All see the same rows: by
 * default text that the whole model writes, once, which takes no arm's time. Texts begin as the model's own tokenizer begins them. Every training arm has the same seconds; those of healing count,
 * those of looking do not. A look is perplexity and KL divergence from the whole model on the first 64 windows of
 * WikiText-2, of which no arm has seen anything.
 */
import { beginningOf } from '../src/engine/tokenizer/bos';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { openCheckpoint } from '../src/engine/checkpoint/open';
import { evaluationWindows } from '../src/engine/evaluate/windows';
import { heal } from '../src/engine/heal/heal';
import { HEAL_DEFAULTS } from '../src/engine/heal/methods';
import { type Changes, openModel } from '../src/engine/model/model';
import { fullView, parseRemoved, viewWithout } from '../src/engine/model/view';
import { wholeBlocks } from '../src/engine/importance/select';
import { healingRows, SELF_TEXT } from '../src/engine/retrain/data/healing-rows';
import { DEFAULTS } from '../src/engine/retrain/defaults';
import { loadTokenizer } from '../src/engine/tokenizer/tokenizer';
import { readFileSync } from 'node:fs';
import { hasShared, shared } from '../test/support/shared';
import { measuring, type Near } from './support/likeness';
import { describeMachine } from './support/machine';
import { timed } from './support/numbers';
import { noteRatio } from './support/ratios';
import { MODEL_OPTION, modelOr } from './support/subject';
import { trainFor } from './support/timed-training';

const WINDOWS = 64;
const WINDOW = 128;

const ARMS = {
  plain: { healed: false, trained: false },
  healed: { healed: true, trained: false },
  lora: { healed: false, trained: true },
  'healed+lora': { healed: true, trained: true },
  'healed+teacher': { healed: true, trained: true, taught: true },
  'healed+teacher+cuts': { healed: true, trained: true, taught: true, where: 'cuts' },
} as const satisfies Readonly<Record<string, Arm>>;

interface Arm {
  readonly healed: boolean;
  readonly trained: boolean;
  readonly taught?: boolean;
  readonly where?: 'cuts';
}

/** A place on the curve of an arm. */
interface Point extends Near {
  /** Of healing and training so far. */
  readonly seconds: number;
  readonly steps: number;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    ...MODEL_OPTION,
    remove: { type: 'string', default: '13-18' },
    data: { type: 'string', default: SELF_TEXT },
    text: { type: 'string' },
    tokens: { type: 'string', default: String(HEAL_DEFAULTS.tokens) },
    seconds: { type: 'string', default: '240' },
    every: { type: 'string', default: '60' },
    batch: { type: 'string', default: '4' },
    lr: { type: 'string', default: String(DEFAULTS.lora.learningRate) },
    'teacher-weight': { type: 'string', default: '1' },
    json: { type: 'string' },
  },
});
const arms = Object.entries<Arm>(ARMS).filter(([name]) => positionals.length === 0 || positionals.includes(name));
const unknown = positionals.find((name) => !(name in ARMS));
if (unknown !== undefined) throw new Error(`there is no arm ${unknown}; there are ${Object.keys(ARMS).join(', ')}`);

const machine = describeMachine();
console.log(machine);
const path = modelOr(values.model);
const checkpoint = await openCheckpoint(path);
const whole = await openModel(checkpoint, { device: 'cpu' });
const tokenizer = await loadTokenizer(path);
const blocks = whole.architecture.layers.length;
const removed = wholeBlocks(parseRemoved(values.remove, blocks));
const view = viewWithout(
  blocks,
  removed.map((block) => ({ block })),
);
const seconds = Number(values.seconds);
const curves: Record<string, Point[]> = {};

const text = { data: [values.data], tokens: Number(values.tokens), seed: 1234, heldOut: 0 };
const { tokens, length } = HEAL_DEFAULTS;
const { fit, writingSeconds } = await healingRows(text, { author: whole, tokenizer, defaults: { tokens, length } }, {});
const ids = await tokenizer.encode(
  readFileSync(values.text ?? beside('data/wikitext2/wiki.test.raw.hf-joined.txt'), 'utf8'),
  {
    addSpecialTokens: false,
  },
);
const { bosTokenId } = whole.architecture;
const beginning = beginningOf('auto', { tokenizer, bosTokenId });
const { rows } = evaluationWindows(ids, { window: WINDOW, beginning, limit: WINDOWS });

await measuring(whole, rows, async (measure) => {
  const look = async (changes: Changes, of = view): Promise<Near> => {
    const model = await openModel(checkpoint, { device: 'cpu', changes });
    try {
      return await measure(model, of);
    } finally {
      await model.close();
    }
  };
  const dense = await look([], fullView(blocks));
  console.log(
    `original: perplexity ${dense.ppl.toFixed(2)}; without ${values.remove}; ${fit.length} rows of ${fit[0].length} tokens` +
      (writingSeconds > 0 ? `, written in ${writingSeconds.toFixed(0)} s` : ''),
  );
  const healed = arms.some(([, arm]) => arm.healed)
    ? await timed(() => heal(whole, view, fit, { method: 'refit', measure: false }))
    : undefined;
  for (const [name, arm] of arms) {
    const base: Changes = arm.healed ? [healed!.result.patches] : [];
    const before = arm.healed ? healed!.seconds : 0;
    const curve = (curves[name] = [] as Point[]);
    const add = (at: number, steps: number, near: Near): void => {
      curve.push({ seconds: at, steps, ...near });
      const { ppl, kl } = near;
      console.log(
        `${name.padEnd(20)} ${at.toFixed(0).padStart(5)} s ${String(steps).padStart(5)} steps  perplexity ${ppl.toFixed(2).padStart(7)}  KL ${kl.toFixed(4)}`,
      );
    };
    add(before, 0, await look(base));
    if (!arm.trained) continue;
    const student = await openModel(checkpoint, { device: 'cpu', changes: base });
    const teacher = arm.taught ? { model: whole, weight: Number(values['teacher-weight']) } : undefined;
    const [batch, learningRate, every] = [values.batch, values.lr, values.every].map(Number);
    const plan = { student, removed, rows: fit, batch, learningRate, every, seconds: seconds - before, teacher };
    await trainFor({ ...plan, where: arm.where }, async (taken, steps, adapter) =>
      add(before + taken, steps, await look([...base, adapter])),
    );
    await student.close();
  }
  console.log(`\n${'arm'.padEnd(20)} seconds  perplexity  KL`);
  for (const [name, curve] of Object.entries(curves)) {
    const { seconds: at, ppl, kl } = curve[curve.length - 1];
    console.log(`${name.padEnd(20)} ${at.toFixed(0).padStart(7)}  ${ppl.toFixed(2).padStart(10)}  ${kl.toFixed(4)}`);
    noteRatio(`perplexity after ${at.toFixed(0)} s of ${name}, against the original`, ppl / dense.ppl);
  }
  const conditions = { machine, model: path.split('/').at(-1), removed, windows: WINDOWS, window: WINDOW, ...values };
  if (values.json !== undefined) {
    writeFileSync(values.json, `${JSON.stringify({ conditions, dense, curves }, null, 2)}\n`);
  }
});
await whole.close();

/** A file of the reference material. @throws Error when it is not there */
function beside(file: string): string {
  if (hasShared) return shared(file);
  throw new Error('name a file: npm run bench -- healing --model PATH --text FILE');
}
