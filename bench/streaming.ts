/**
 * Streaming: what two texts that are written side by side cost, against one alone.
 *
 *   npm run bench -- streaming [--model PATH] [--rounds 5] [--tokens 64] [--threads N]
 *
 * Both columns are the whole model, each opened for itself as the results panel does, so that the ratio is what taking
 * turns costs: tokens/s of both together ÷ tokens/s of one alone, from the first turn's end to the last's. One and two
 * columns take turns too.
 */
import { parseArgs } from 'node:util';
import { openCheckpoint, requireArchitecture } from '../src/engine/checkpoint/open';
import { type SampleColumn, writeSideBySide } from '../src/engine/evaluate/samples';
import { openModel } from '../src/engine/model/model';
import { fullView } from '../src/engine/model/view';
import { printMachine } from './support/machine';
import { median } from '../src/engine/median';
import { percent, printFacts } from './support/numbers';
import { MODEL_OPTION, modelOr } from './support/subject';
import { noteRatio } from './support/ratios';

const GOAL = 0.9;
const PROMPT = 16;

const { values } = parseArgs({
  options: {
    ...MODEL_OPTION,
    rounds: { type: 'string', default: '5' },
    tokens: { type: 'string', default: '64' },
    threads: { type: 'string' },
  },
});
const threads = values.threads === undefined ? undefined : Number(values.threads);
const checkpoint = await openCheckpoint(modelOr(values.model));
const { layers, vocabulary } = requireArchitecture(checkpoint);
const blocks = layers.length;
const promptIds = Array.from({ length: PROMPT }, (_, i) => (i * 7919) % vocabulary);

/** Tokens a second of all columns together, once each has begun. */
async function speed(columns: readonly SampleColumn[]): Promise<number> {
  const turns: { readonly at: number; readonly tokens: number }[] = [];
  const onTokens = (_: number, ids: readonly number[]): void =>
    void turns.push({ at: performance.now(), tokens: ids.length });
  const options = { maxNewTokens: Number(values.tokens), greedy: true, ignoreEos: true } as const;
  await writeSideBySide(columns, options, onTokens);
  const later = turns.slice(columns.length);
  const seconds = (turns.at(-1)!.at - turns[columns.length - 1].at) / 1000;
  return later.reduce((sum, { tokens }) => sum + tokens, 0) / seconds;
}

printMachine();
const models = [
  await openModel(checkpoint, { device: 'cpu', threads }),
  await openModel(checkpoint, { device: 'cpu', threads }),
];
const columns = models.map((model): SampleColumn => ({ model, view: fullView(blocks), promptIds }));
const [alone, together, shares]: number[][] = [[], [], []];
try {
  for (let round = 0; round < Number(values.rounds); round++) {
    const before = await speed(columns.slice(0, 1));
    const both = await speed(columns);
    const after = await speed(columns.slice(1));
    const one = (before + after) / 2;
    alone.push(one);
    together.push(both);
    shares.push(both / one);
    console.log(
      `round ${round + 1}: one ${one.toFixed(1)} tokens/s, two ${both.toFixed(1)} together, ${percent(both / one)}`,
    );
  }
} finally {
  for (const model of models) await model.close();
}

noteRatio('tokens a second of two texts side by side, against one', median(shares));
console.log('');
printFacts([
  ['one column', `${median(alone).toFixed(1)} tokens/s`],
  ['two columns', `${median(together).toFixed(1)} tokens/s together`],
  ['share', `${percent(median(shares))} (goal: ${percent(GOAL)})`],
]);
