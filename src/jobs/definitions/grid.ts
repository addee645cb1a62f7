/** Speed and memory over batches and lengths (Shortened LLaMA, Tables 2 to 4 and 9, Figures 2 and 6). */
import { objects } from '../../engine/records/fields';
import { option, value } from '../../engine/option-token';
import { PAPER_SEED, QUICK } from '../../engine/evaluate/grid/protocol';
import { type JsonObject, parseJsonNumber } from '../../format/json';
import { l10n } from '../../l10n';
import { countedIn } from '../about';
import { defineJob } from '../define';
import { field, perSecond, type Fact } from '../facts';
import { bytes, file, flag, folder, list, seed, text, whole } from '../option';
import { begin } from '../options/bos';
import { compute, quantized } from '../options/compute';
import { faultOfModels, severalModels } from '../options/models';
import { measuredPrecision } from '../options/precision';
import { gridResult } from '../results/grid';

const OF_PAPER = ['batch', 'newTokens', 'runs', 'warmup', 'prompt', 'promptTokens', 'prompts', 'greedy', 'seed'];

const options = {
  ...severalModels,
  batch: list(whole('a number of texts'), `texts that are written side by side: ${value('numbers', '1,8,32')}`, {
    default: QUICK.batches,
    noun: () => l10n.t('batch'),
    placeholder: 'list',
  }),
  newTokens: list(whole('a number of tokens'), `tokens that each text gets: ${value('numbers', '128,512')}`, {
    default: QUICK.newTokens,
    noun: () => l10n.t('new tokens'),
    placeholder: 'list',
  }),
  runs: whole('measured runs of each cell', { default: QUICK.runs }),
  warmup: whole('warm-up runs before them', { default: QUICK.warmup, min: 0 }),
  paper: flag("the paper's settings: 1 to 256 texts, 128 and 512 tokens, 20 runs after 10 warm-up runs; takes hours", {
    conflicts: OF_PAPER,
  }),
  prompt: text("what the texts begin with (default: the paper's prompt)", { conflicts: ['promptTokens', 'prompts'] }),
  promptTokens: whole('begin with that many random tokens instead', { conflicts: ['prompts'] }),
  prompts: file('begin with the prompts of a file: one a line, JSON or JSON lines; texts take them in turn', {
    noun: () => l10n.t('a file of prompts'),
  }),
  ...begin,
  greedy: flag('always choose the most likely token; without it tokens are drawn as in the paper', {
    conflicts: ['seed'],
  }),
  seed: seed('random seed of the sampling', { default: PAPER_SEED }),
  limitMemory: bytes('cells that need more are not run (default: all that the machine gives)', {
    noun: () => l10n.t('limit of memory'),
    placeholder: 'size',
  }),
  csv: folder("also write the paper's two tables for each model, as CSV files, into this folder", {
    writes: true,
    noun: () => l10n.t('folder for CSV files'),
  }),
  precision: measuredPrecision,
  ...compute,
  ...quantized,
};

export const grid = defineJob({
  kind: 'grid',
  summary: 'measure speed and memory over batches and lengths',
  description:
    'Writes several texts side by side and measures latency, throughput and memory for each number of texts and each ' +
    'length. Memory is predicted first, and what would not fit is not run. Several models take turns, so that they can ' +
    `be compared; ${option('remove')}, ${option('heal')} and ${option('adapter')} concern the last one.`,
  examples: [
    './SmolLM2-135M',
    './SmolLM2-135M ./SmolLM2-135M --remove 10,12-14 --batch 1,8,32 --new-tokens 128,512',
    './SmolLM2-135M ./SmolLM2-pruned --paper --csv tables --json',
  ],
  noun: () => l10n.t('Measuring speed'),
  title: (model) => l10n.t('Measuring the speed of {0}', model),
  done: (model) => l10n.t('Measured the speed of {0}', model),
  icon: 'watch',
  measures: true,
  lane: () => 'alone',
  step: 'speeds',
  about: ({ models }) => countedIn(models, 'model'),
  facts: (result) =>
    objects(result.models).map((model): Fact => {
      const done = objects(model.cells).filter(({ outcome }) => outcome === 'measured');
      const best = Math.max(0, ...done.map((cell) => throughputOf(cell)));
      return [String(model.label), done.length === 0 ? 'not measured' : `at best ${perSecond(best)}`];
    }),
  options,
  check: faultOfModels,
  result: gridResult,
});

const throughputOf = (cell: JsonObject): number =>
  parseJsonNumber(field(field(cell.measured, 'throughput'), 'mean')) ?? 0;
