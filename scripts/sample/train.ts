/**
 * `npm run sample:train [-- --stories FOLDER]`: makes the sample model in media/sample from the stories, with Coppice's own
 * trainer. Takes less than an hour on two cores. Stop it at any time; the same command goes on from the last saved step.
 */
import { createHash } from 'node:crypto';
import { cpSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { openCheckpoint } from '../../src/engine/checkpoint/open';
import { Backprop } from '../../src/engine/retrain/loop/backprop';
import { fullModel, loadedParameters } from '../../src/engine/retrain/full/full-model';
import { train } from '../../src/engine/retrain/loop/train';
import type { TrainingState } from '../../src/engine/retrain/loop/training-state';
import type { Parameters } from '../../src/engine/retrain/loop/adamw';
import { loadLocalTokenizer } from '../../src/engine/tokenizer/local';
import { openModel } from '../../src/engine/model/model';
import { fullView } from '../../src/engine/model/view';
import { sampleCard } from './card';
import { MODEL_CONFIG, TRAINING, WINDOW_STARTS } from './config';
import { readStories, type StoryFile } from './corpus';
import { heldOutExamples, storyStream, trainingExamples } from './examples';
import { measure } from './measure';
import { writeTokenizer } from './tokenizer';
import { writeFreshCheckpoint, writeTrainedCheckpoint } from './weights';

const ROOT = resolve(import.meta.dirname, '../..');
const { values: settings } = parseArgs({
  options: {
    stories: { type: 'string', default: process.env.COPPICE_STORIES ?? join(ROOT, '../shared/data/stories') },
    out: { type: 'string', default: join(ROOT, 'media/sample') },
    /** Where the start and the state of a run are kept. */
    work: { type: 'string', default: join(ROOT, '.coppice/sample') },
  },
});

interface Run {
  readonly state: TrainingState;
  readonly parameters: Parameters;
}

async function run(): Promise<void> {
  const files = readStories(settings.stories);
  const start = join(settings.work, 'start');
  writeTokenizer(
    files.flatMap((file) => file.train),
    start,
  );
  await writeFreshCheckpoint(start);
  const { state, parameters } = await trainFrom(start, files);
  writeTrainedCheckpoint(settings.out, parameters);
  for (const name of ['tokenizer.json', 'tokenizer_config.json']) cpSync(join(start, name), join(settings.out, name));
  const { trace } = state.log;
  const minutes = trace.reduce((sum, { seconds }) => sum + seconds, 0) / 60;
  const facts = { ...(await measure(settings.out, files)), bestStep: state.best!.step, steps: trace.length, minutes };
  writeFileSync(join(settings.out, 'README.md'), sampleCard(facts));
  console.log(
    `held-out loss ${facts.heldOutLoss.toFixed(3)}, loss on what was learnt from ${facts.trainLoss.toFixed(3)}`,
  );
}

async function trainFrom(start: string, files: readonly StoryFile[]): Promise<Run> {
  const model = await openModel(await openCheckpoint(start), { device: 'cpu', threads: 1 }); // so narrow that a second thread waits
  const tokenizer = await loadLocalTokenizer(start);
  const stream = (part: 'train' | 'heldOut') =>
    storyStream(
      files.flatMap((file) => file[part]),
      tokenizer,
    );
  const data = { train: trainingExamples(stream('train')), heldOut: heldOutExamples(stream('heldOut')) };
  const view = fullView(model.architecture.layers.length);
  const parameters = await loadedParameters(model, view);
  const backprop = await Backprop.create(model, fullModel(model, view, parameters), { tokensPerRun: TOKENS_PER_RUN });
  // Other settings or stories are another run, with a state of its own.
  const run = {
    model: MODEL_CONFIG,
    training: TRAINING,
    windows: WINDOW_STARTS,
    files: files.map(({ sha256 }) => sha256),
  };
  const fingerprint = createHash('sha256').update(JSON.stringify(run)).digest('hex');
  const path = join(settings.work, `state-${fingerprint.slice(0, 12)}.safetensors`);
  const interrupt = new AbortController();
  process.once('SIGINT', () => interrupt.abort());
  try {
    const state = await train(
      {
        backprop,
        parameters,
        data,
        options: TRAINING,
        state: { path, run, resume: true },
        hooks: {
          onStep: ({ step, loss, tokens, seconds }) => {
            if (step % 10 === 0)
              console.log(`step ${step}: loss ${loss.toFixed(3)}, ${Math.round(tokens / seconds)} tokens/s`);
          },
          onEvaluation: (step, loss) => console.log(`step ${step}: held-out loss ${loss.toFixed(4)}`),
        },
      },
      { signal: interrupt.signal },
    );
    return { state, parameters };
  } finally {
    await backprop.close();
    await model.close();
  }
}

/** A step's examples at once: a tenth less time than four by four. */
const TOKENS_PER_RUN = 4096;

await run();
