/**
 * The demo: the whole paper on one page. Score → prune → retrain → compare, each step explained in a sentence or two.
 * Everything it makes lies in one folder, which is gone again when the demo fails or is cancelled.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openCheckpoint, requireArchitecture } from '../../engine/checkpoint/open';
import { describeReduction } from '../../engine/checkpoint/reduction';
import { writePruned } from '../../engine/write/write-pruned';
import type { RetrainResult } from '../../engine/retrain/report';
import { modelName, newRecord, RECORD_NAME, type RunInput, writeRecord } from '../../engine/records/record';
import { loadTokenizer } from '../../engine/tokenizer/tokenizer';
import type { DemoOptions } from '../commands/demo';
import type { Outcome, Shell } from '../execute';
import { secondsSince } from '../opened';
import { reportAssets } from '../report-assets';
import { formatSeconds } from '../../format/durations';
import { formatCount, formatNumber } from '../../format/numbers';
import { table } from '../terminal/text';
import { compareChapter, type Contestant } from './compare-chapter';
import type { Examination } from './examine';
import { makeFolder } from './folder';
import { provideMaterial } from './material';
import { drawCurve, writeReport } from './report-chapter';
import { retrainChapter } from './retrain-chapter';
import { scoreChapter } from './score-chapter';
import { heading, type Story } from './story';

const REPORT_NAME = 'report.html';

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
  const assets = await reportAssets(); // what lacks them should fail before the work
  const story = await begin(path, options, folder, shell);
  const { checkpoint, material } = story;

  const verdict = await scoreChapter(story);
  const { scored, details, removed } = verdict;

  const out = join(folder, 'pruned-model');
  const provenance = { ...details, inputs: scored.inputs };
  const written = await writePruned(checkpoint, [...removed], out, { ...shell.job, provenance });
  heading(
    shell,
    '2. Prune: take them out',
    'A new checkpoint is written, whole and ordinary, that stock tools load. The original is not touched.',
    '',
    ...describeReduction(written),
  );

  const pruned = await openCheckpoint(out);
  const models: Contestant[] = [
    { name: 'whole', checkpoint },
    { name: 'pruned', checkpoint: pruned },
  ];
  let trained: RetrainResult | undefined;
  if (material.retraining) {
    trained = await retrainChapter(story, pruned, material.retraining);
    models.push({ name: 'retrained', checkpoint: await openCheckpoint(trained.out) });
  }
  const compared = await compareChapter(story, trained ? 4 : 3, models, scored.calibration!);
  const [before, after, retrained] = compared.found;

  const { byTaylor, rankCorrelation, records: scores } = verdict;
  const record = join(folder, 'comparison.json');
  const curve = await drawCurve(story, verdict);
  const seconds = secondsSince(start);
  const json = {
    model: { name: modelName(checkpoint), identity: checkpoint.identity },
    removed,
    kept: written.kept,
    agreement: { byTaylor, rankCorrelation },
    before,
    after,
    retrained: retrained && trained ? { ...retrained, ...trainingFacts(trained) } : null,
    prompts: material.prompts,
    out,
    scores,
    curve,
    record,
    report: join(folder, REPORT_NAME),
    seconds,
  };
  const data = (trained?.data.files ?? []).map(({ file, sha256 }): RunInput => ({ role: 'data', name: file, sha256 }));
  const run = { ...details, inputs: [...details.inputs, ...data, compared.text] };
  await writeRecord(record, newRecord({ kind: 'demo', ...run, results: json, started }));
  const made = [out, ...(trained ? [trained.out] : [])].map((model) => join(model, RECORD_NAME));
  await writeReport(json.report, [scores.ppl, scores.taylor, curve, ...made, record], assets);
  ending(story, before, after, retrained, seconds);
  return { json, page: [], run };
}

/** Opens the model and introduces it. */
async function begin(path: string | undefined, options: DemoOptions, folder: string, shell: Shell): Promise<Story> {
  const material = await provideMaterial(path, options, folder);
  const checkpoint = await openCheckpoint(material.checkpoint);
  const { layers, context } = requireArchitecture(checkpoint);
  const blocks = layers.length;
  const tokenizer = await loadTokenizer(checkpoint.folder, shell.job);
  heading(
    shell,
    `The model: ${shell.shown(modelName(checkpoint))}`,
    ...(material.sample
      ? ['A small one that comes with Coppice and was trained by it: it writes stories for little children.']
      : []),
    `It is a stack of ${formatCount(blocks)} Transformer blocks. Each reads the text so far and adds its part to it. Not all`,
    'of them add much: Coppice finds those and takes them out, which makes the model smaller and faster.',
  );
  const length = Math.min(material.length, context);
  const { threads = material.threads } = options;
  return { checkpoint, blocks, tokenizer, material, length, folder, options: { ...options, threads }, shell };
}

/** A fair word on the sample model's numbers. */
const SAME_HAND = [
  'Do not wonder if the last is the best: the stories of the retraining are by the same hand as those of',
  'the measurement, though not the same, and the whole model has learnt from others.',
];

function trainingFacts({ steps, best, parameters, seconds, tokensPerSecond, out }: RetrainResult): object {
  return { steps, best, trainedParameters: parameters, seconds, trainingTokensPerSecond: tokensPerSecond, out };
}

function ending(
  { checkpoint, material, folder, shell }: Story,
  before: Examination,
  after: Examination,
  retrained: Examination | undefined,
  seconds: number,
): void {
  const smaller = formatNumber(100 * (1 - after.bytes / before.bytes), 2);
  const faster = formatNumber(after.tokensPerSecond / before.tokensPerSecond, 3);
  const ppl = (of: Examination): string => formatNumber(of.ppl, 4);
  const model = shell.shown(material.sample ? './SmolLM2-135M' : checkpoint.path);
  heading(
    shell,
    `Done in ${formatSeconds(seconds)}`,
    `${smaller} % smaller and ${faster} times as fast; perplexity ${ppl(before)} whole, ${ppl(after)} pruned` +
      (retrained ? `, ${ppl(retrained)} retrained.` : '.'),
    ...(material.sample && retrained ? SAME_HAND : []),
    '',
    `All of it lies in ${shell.shown(folder)}`,
    ...table(
      ['', ''],
      [
        [REPORT_NAME, 'charts of all this on one page, for the browser'],
        ['pruned-model', 'the pruned checkpoint, with its model card and its record (coppice.json)'],
        ...(retrained ? [['retrained-model', 'the same, retrained; its record has every step']] : []),
        ['scores-ppl.json', 'what every block scored; coppice prune --scores takes it'],
        ['scores-taylor.json', 'the same by Taylor'],
        ['curve-ppl.json', 'perplexity with one, two, three … blocks removed'],
        ['comparison.json', 'the record of this page'],
      ],
    ).slice(1),
    '',
    `Next: coppice ${material.sample ? 'demo' : 'score'} ${model} --calibration FILE, with ${material.sample ? 'a model and ' : ''}a text of your own`,
  );
}
