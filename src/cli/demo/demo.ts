/**
 * The demo: score → prune → evaluate → samples on one model, each step explained in a sentence. Everything it makes
 * lies in one folder, which is gone again when the demo fails or is cancelled.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { openCheckpoint, requireArchitecture } from '../../engine/checkpoint/open';
import { systemErrorCode, UserError } from '../../engine/errors';
import { type BlockScore, runCriterion } from '../../engine/importance/run-criterion';
import { describeReduction } from '../../engine/prune/describe';
import { rankBlocks, keepList, plusKeepList, selectByOrder } from '../../engine/prune/select';
import { writePruned } from '../../engine/prune/write';
import { detailsOf } from '../../engine/runs/details';
import { modelInput, modelName, newRecord, writeRecord } from '../../engine/runs/record';
import { loadTokenizer } from '../../engine/tokenizer/tokenizer';
import type { DemoOptions } from '../commands/demo';
import type { Outcome, Shell } from '../execute';
import { secondsSince } from '../opened';
import { findingsPage } from '../score-page';
import { formatCount, formatNumber, formatSeconds, table } from '../terminal/text';
import { costOf, type Examination, qualityOf } from './examine';
import { provideSampleModel } from './sample-model';
import { CALIBRATION_TEXT, EVALUATION_TEXT, PROMPTS } from './texts';

const DEFAULT_FOLDER = 'coppice-demo';
const SAMPLES = 10;
const LONGEST_ROW = 64;
const SEED = 1234;

export async function runDemo(path: string | undefined, options: DemoOptions, shell: Shell): Promise<Outcome> {
  const folder = await makeFolder(options.out);
  try {
    return await demo(path, options, folder, shell);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function demo(path: string | undefined, options: DemoOptions, folder: string, shell: Shell): Promise<Outcome> {
  const start = performance.now();
  const started = new Date();
  const { style } = shell;
  const say = shell.print;
  const heading = (title: string, ...lines: string[]): void => say('', style.bold(title), ...lines);

  const sample = path === undefined ? await provideSampleModel(folder) : undefined;
  const checkpoint = await openCheckpoint(sample?.checkpoint ?? path!);
  const architecture = requireArchitecture(checkpoint);
  const tokenizer = await loadTokenizer(checkpoint.folder);
  const name = modelName(checkpoint);
  heading(
    `The model: ${shell.shown(name)}`,
    `${formatCount(architecture.blocks)} Transformer blocks, one after the other. Each reads the text so far and adds its`,
    'part to it. Not all of them add much: Coppice finds those and takes them out.',
    ...(sample ? ['', ...sample.remark] : []),
  );

  const calibration = options.calibration ?? (await provideText(folder, 'calibration.txt', CALIBRATION_TEXT));
  const text = options.text ?? (await provideText(folder, 'evaluation.txt', EVALUATION_TEXT));
  heading(
    '1. Score',
    'How much worse does the model predict a text when a block is left out? Perplexity says between',
    'how many tokens it hesitates, on average: lower is better.',
    '',
  );
  const length = Math.min(LONGEST_ROW, architecture.context);
  const criterion = { calibration, samples: SAMPLES, length, seed: SEED, norm: 'l1', reduction: 'sum' } as const;
  const scoring = performance.now();
  const scored = await runCriterion(checkpoint, 'ppl', { ...options, ...criterion }, shell.job);
  const circumstances = { seconds: secondsSince(scoring), device: scored.device!.provider };
  say(...findingsPage('ppl', scored.findings, circumstances, style));
  const scoreRecord = join(folder, 'score.json');
  const details = detailsOf(checkpoint, options, { ...scored, settings: { criterion: 'ppl', ...scored.settings } });
  const model = { name, identity: checkpoint.identity };
  const results = { criterion: 'ppl', model, ...scored.findings, calibration: scored.settings.calibration };
  await writeRecord(scoreRecord, newRecord({ kind: 'score', ...details, results, started }));

  const blocks = scored.findings.blocks ?? [];
  const removed = chooseBlocks(blocks, options.count ?? Math.max(1, Math.floor(architecture.blocks / 4)));
  const out = join(folder, 'pruned-model');
  const written = await writePruned(checkpoint, removed, out, {
    ...shell.job,
    provenance: { ...details, inputs: scored.inputs },
  });
  heading(
    '2. Prune',
    'The least important blocks go, and a new checkpoint is written that stock tools load. The first',
    'and the last blocks stay where there are enough others. The original is not touched.',
    '',
    ...describeReduction(written),
  );

  heading('3. Compare', 'The same unseen text and the same prompts for both models.', '');
  const task = { text, calibration: scored.calibration!, prompts: PROMPTS, window: length };
  const pruned = await openCheckpoint(out);
  const qualities = [];
  for (const one of [checkpoint, pruned]) qualities.push(await qualityOf(one, tokenizer, task, options, shell));
  const before = { ...qualities[0], ...(await costOf(checkpoint, options, shell.job)) };
  const after = { ...qualities[1], ...(await costOf(pruned, options, shell.job)) };
  say(...comparison(before, after), '');
  for (const [i, prompt] of PROMPTS.entries()) {
    say(style.bold(prompt));
    say(
      `  whole   ${inOneLine(before.continuations[i], shell)}`,
      `  pruned  ${inOneLine(after.continuations[i], shell)}`,
    );
  }

  const record = join(folder, 'comparison.json');
  const seconds = secondsSince(start);
  const json = { model, removed, kept: written.kept, before, after, out, scores: scoreRecord, record, seconds };
  await writeRecord(record, newRecord({ kind: 'demo', ...details, results: json, started }));
  heading(
    `Done in ${formatSeconds(seconds)}. All of it lies in ${shell.shown(folder)}`,
    ...table(
      ['', ''],
      [
        ['pruned-model', 'the new checkpoint, with its model card and record (coppice.json)'],
        ['score.json', 'what every block scored; coppice prune --scores takes it'],
        ['comparison.json', 'the record of this page'],
      ],
    ).slice(1),
    '',
    `Next: coppice score ${shell.shown(path ?? checkpoint.path)} --calibration FILE, with a text of your own`,
  );
  return { json, page: [], run: { ...details, inputs: [modelInput(checkpoint), ...scored.inputs] } };
}

/** The folder that `--out` names, or the first of coppice-demo, coppice-demo-2, … that is free. */
async function makeFolder(out: string | undefined): Promise<string> {
  for (let n = 1; ; n++) {
    const folder = resolve(out ?? (n === 1 ? DEFAULT_FOLDER : `${DEFAULT_FOLDER}-${n}`));
    try {
      await mkdir(folder);
      return folder;
    } catch (error) {
      if (systemErrorCode(error) !== 'EEXIST') throw error;
      if (out === undefined) continue;
      throw new UserError(
        `${folder} exists already`,
        'nothing is ever overwritten',
        'Choose another --out, or remove it first.',
      );
    }
  }
}

async function provideText(folder: string, name: string, text: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, text);
  return file;
}

/** By the paper's rule where it leaves enough blocks to choose from, else by the scores alone. */
function chooseBlocks(blocks: readonly BlockScore[], count: number): number[] {
  const plus = blocks.length - plusKeepList(blocks.length).length >= 2 * count;
  return selectByOrder(rankBlocks(blocks.map(({ score }) => score)), count, keepList(blocks.length, { plus }));
}

function comparison(before: Examination, after: Examination): string[] {
  const row = (name: string, value: (of: Examination) => number, digits: number): string[] => [
    name,
    formatNumber(value(before), digits),
    formatNumber(value(after), digits),
    `× ${formatNumber(value(after) / value(before), 3)}`,
  ];
  return table(
    ['', '>whole', '>pruned', '>change'],
    [
      row('perplexity', ({ ppl }) => ppl, 5),
      row('million parameters', ({ parameters }) => parameters / 1e6, 4),
      row('megabytes', ({ bytes }) => bytes / 1e6, 4),
      row('tokens per second', ({ tokensPerSecond }) => tokensPerSecond, 3),
    ],
  );
}

const inOneLine = (text: string, shell: Shell): string => shell.shown(text.replace(/\s+/g, ' ').trim());
