/**
 * The demo: the whole paper on one page. Score → prune → heal → retrain → compare, each step explained in a few sentences. All
 * output is in one folder, which is removed if the demo fails or is cancelled.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openCheckpoint, requireArchitecture } from '../../engine/checkpoint/open';
import type { Checkpoint } from '../../engine/checkpoint/types';
import { fileInput, type RunDetails } from '../../engine/records/details';
import { modelName, newRecord, readRecord, RECORD_NAME, type RunInput, writeRecord } from '../../engine/records/record';
import { loadTokenizer } from '../../engine/tokenizer/tokenizer';
import { formatSeconds } from '../../format/durations';
import { formatCount, formatNumber } from '../../format/numbers';
import { secondsSince } from '../../jobs/run';
import { partRunner } from '../../jobs/run-job';
import type { RunResult } from '../../jobs/runs';
import type { DemoOptions } from '../commands/demo';
import type { Outcome, Shell } from '../execute';
import { reportAssets } from '../report-assets';
import { table } from '../terminal/text';
import { compareChapter, type Contestant } from './compare-chapter';
import type { Examination } from './examine';
import { makeFolder } from './folder';
import { healChapter } from './heal-chapter';
import { provideMaterial } from './material';
import { pruneChapter } from './prune-chapter';
import { drawCurve, writeReport } from './report-chapter';
import { retrainChapter } from './retrain-chapter';
import { scoreChapter } from './score-chapter';
import { chaptersOf, heading, type Story } from './story';

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
  const assets = await reportAssets(); // an installation without them should fail before the work
  const story = await begin(path, options, folder, shell);
  const { checkpoint, material } = story;

  const verdict = await scoreChapter(story);
  const pruned = await pruneChapter(story, verdict);
  const shorter = pruned.out!;
  const healing = await healChapter(story, verdict);
  const models: Contestant[] = [
    { name: 'original', checkpoint: checkpoint.path },
    { name: 'pruned', checkpoint: shorter },
    { name: 'healed', checkpoint: healing.out! },
  ];
  let trained: RunResult<'retrain'> | undefined;
  if (material.retraining) {
    trained = await retrainChapter(story, healing.out!, material.retraining);
    models.push({ name: 'retrained', checkpoint: trained.out });
  }
  const [before, after, healed, retrained] = await compareChapter(story, trained ? 5 : 4, models);

  const { removed, byTaylor, rankCorrelation, records: scores } = verdict;
  const record = join(folder, 'comparison.json');
  const curve = await drawCurve(story, verdict);
  const seconds = secondsSince(start);
  const json = {
    model: { name: modelName(checkpoint), identity: checkpoint.identity },
    removed,
    kept: pruned.kept,
    agreement: { byTaylor, rankCorrelation },
    before,
    after,
    healed: { ...healed, ...healingFacts(healing) },
    retrained: retrained && trained ? { ...retrained, ...trainingFacts(trained) } : null,
    prompts: material.prompts,
    out: shorter,
    scores,
    curve: curve.record,
    record,
    report: join(folder, REPORT_NAME),
    seconds,
  };
  const data = (trained?.data.files ?? []).map(({ file, sha256 }): RunInput => ({ role: 'data', name: file, sha256 }));
  const text = fileInput('text', material.text, curve.text.sha256);
  const run = await detailsFrom(scores.ppl, checkpoint, [...data, text]);
  await writeRecord(record, newRecord({ kind: 'demo', ...run, results: json, started }));
  const made = [shorter, healing.out!, ...(trained ? [trained.out] : [])].map((model) => join(model, RECORD_NAME));
  await writeReport(json.report, [scores.ppl, scores.taylor, curve.record, ...made, record], assets);
  ending(story, [before, after, healed, retrained], seconds);
  return { json, page: [], run };
}

/** The record's part besides the results: that of the scores, and the other inputs. */
async function detailsFrom(scores: string, checkpoint: Checkpoint, further: readonly RunInput[]): Promise<RunDetails> {
  const { inputs, settings, seed, device, versions } = await readRecord(scores);
  return {
    checkpoints: [checkpoint],
    inputs: [...inputs.map(({ place: _, ...input }) => input), ...further],
    settings,
    seed: seed ?? undefined,
    device,
    precision: 'float32', // of the comparison; the scores have a record of their own
    onnxruntime: versions.onnxruntime ?? undefined,
  };
}

/** Opens the model and introduces it. */
async function begin(path: string | undefined, options: DemoOptions, folder: string, shell: Shell): Promise<Story> {
  const material = await provideMaterial(path, options, folder);
  const checkpoint = await openCheckpoint(material.checkpoint);
  const { layers, context } = requireArchitecture(checkpoint);
  const blocks = layers.length;
  await loadTokenizer(checkpoint.home, shell.job); // a model without a tokenizer should fail before the work
  heading(
    shell,
    `The model: ${shell.shown(modelName(checkpoint))}`,
    ...(material.sample
      ? ['A small model that was trained with Coppice and comes with it. It writes stories for young children.']
      : []),
    `It is a stack of ${formatCount(blocks)} Transformer blocks. Each block reads the text so far and adds to`,
    'its representation. Some add little. Coppice finds and removes them: the model becomes smaller and faster.',
  );
  const { count = Math.max(1, Math.floor(blocks / 4)), device, threads = material.threads, memory } = options;
  const { job, note } = shell;
  const part = { job, hooks: {}, warn: once(shell.warn) };
  return {
    checkpoint,
    blocks,
    material,
    length: Math.min(material.length, context),
    folder,
    count,
    compute: { device, threads, memory },
    shell,
    run: partRunner({ ...part, note }),
    measure: partRunner({ ...part, note: () => undefined }),
    progress: chaptersOf(job, material.retraining !== undefined),
  };
}

/** Shows each text once, because several jobs may give the same warning. */
function once(say: (text: string) => void): (text: string) => void {
  const said = new Set<string>();
  return (text) => {
    if (said.has(text)) return;
    said.add(text);
    say(text);
  };
}

/** Explains why the retrained sample model can be better than the original. */
const SAME_HAND = [
  'Note: the retrained model can be better than the original here. Its training stories are not those of',
  'the measurement but come from the same source. The original learned from another source.',
];

function healingFacts({ method, tokens, heldOut, weights, seconds, out }: RunResult<'heal'>): object {
  return { method, tokens, heldOut, weights, seconds, out };
}

function trainingFacts(trained: RunResult<'retrain'>): object {
  const { steps, best, parameters, seconds, tokensPerSecond, out } = trained;
  return {
    steps,
    best: best && { step: best.step, loss: best.loss },
    trainedParameters: parameters,
    seconds,
    trainingTokensPerSecond: tokensPerSecond,
    out,
  };
}

function ending(
  { checkpoint, material, folder, shell }: Story,
  [before, after, healed, retrained]: readonly [Examination, Examination, Examination, Examination | undefined],
  seconds: number,
): void {
  const smaller = formatNumber(100 * (1 - after.bytes / before.bytes), 2);
  const faster = formatNumber(after.tokensPerSecond / before.tokensPerSecond, 3);
  const ppl = (of: Examination): string => formatNumber(of.ppl, 4);
  const model = shell.shown(material.sample ? './SmolLM2-135M' : checkpoint.path);
  heading(
    shell,
    `Done in ${formatSeconds(seconds)}`,
    `${smaller} % smaller and ${faster} times as fast; perplexity ${ppl(before)} original, ${ppl(after)} pruned, ${ppl(healed)} healed` +
      (retrained ? `, ${ppl(retrained)} retrained.` : '.'),
    ...(material.sample && retrained ? SAME_HAND : []),
    '',
    `The results are in ${shell.shown(folder)}`,
    ...table(
      ['', ''],
      [
        [REPORT_NAME, 'charts of all results on one page; open it in a browser'],
        ['pruned-model', 'the pruned checkpoint, with its model card and its record (coppice.json)'],
        ['healed-model', 'the pruned checkpoint with corrected weights; its record has every correction'],
        ...(retrained ? [['retrained-model', 'the retrained checkpoint; its record has every step']] : []),
        ['scores-ppl.json', 'scores of all blocks by perplexity, for coppice prune --scores'],
        ['scores-taylor.json', 'scores of all blocks by Taylor'],
        ['curve-ppl.json', 'perplexity with one, two, three … blocks removed'],
        ['comparison.json', 'the numbers and texts of this page'],
      ],
    ).slice(1),
    '',
    `Next: coppice ${material.sample ? 'demo' : 'score'} ${model} --calibration FILE, with ${material.sample ? 'your own model and ' : 'your own '}text`,
  );
}
