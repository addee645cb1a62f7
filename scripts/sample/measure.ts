/** What the sample model's card says of it, measured on the finished checkpoint. */
import { join } from 'node:path';
import { openCheckpoint } from '../../src/engine/checkpoint/open';
import { generate } from '../../src/engine/evaluate/generate';
import { loadCalibration } from '../../src/engine/importance/calibration';
import { scoreBlocks } from '../../src/engine/importance/criteria/ppl';
import { loadLocalTokenizer, type LocalTokenizer } from '../../src/engine/tokenizer/local';
import { type Model, openModel } from '../../src/engine/model/model';
import type { CardFacts, PartFacts, Sample } from './card';
import { CONTEXT } from './config';
import type { StoryFile } from './corpus';
import { storyStream } from './examples';
import { evaluatePerplexity } from '../../test/support/measuring';

const PROMPTS = [
  'Once upon a time, there was a little girl named Lily.',
  'One day, a small bird fell out of its nest.',
  'Tom and Sara found a big box in the garden.',
  'The dog was very sad because',
  '"Can I have a cookie?" asked Ben.',
];
const NEW_TOKENS = 120;

export type SampleFigures = Omit<CardFacts, 'bestStep' | 'steps' | 'minutes'>;

/** @param folder with the checkpoint and the calibration text */
export async function measure(folder: string, files: readonly StoryFile[]): Promise<SampleFigures> {
  const checkpoint = await openCheckpoint(folder);
  const model = await openModel(checkpoint, { device: 'cpu' });
  try {
    const tokenizer = await loadLocalTokenizer(folder);
    const parts: PartFacts[] = [];
    for (const { name: file, sha256, train, heldOut } of files) {
      const { meanNll: trainLoss } = await lossOn(model, storyStream(train, tokenizer));
      const { meanNll: heldOutLoss } = await lossOn(model, storyStream(heldOut, tokenizer));
      parts.push({ file, sha256, trainStories: train.length, heldOutStories: heldOut.length, trainLoss, heldOutLoss });
    }
    const trainStream = storyStream(
      files.flatMap(({ train }) => train),
      tokenizer,
    );
    const heldOutStories = files.flatMap(({ heldOut }) => heldOut);
    const heldOutStream = storyStream(heldOutStories, tokenizer);
    const { meanNll: trainLoss } = await lossOn(model, trainStream);
    const { meanNll: heldOutLoss } = await lossOn(model, heldOutStream);
    const bytes = heldOutStories.reduce((sum, story) => sum + Buffer.byteLength(story), 0);
    return {
      parameters: [...checkpoint.tensors.values()].reduce(
        (sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1),
        0,
      ),
      trainTokens: trainStream.length,
      parts,
      trainLoss,
      heldOutLoss,
      heldOutBitsPerByte: (heldOutLoss * heldOutStream.length) / bytes / Math.LN2,
      lossRise: await lossRise(model, tokenizer, join(folder, 'calibration.txt')),
      samples: await samples(model, tokenizer),
    };
  } finally {
    await model.close();
  }
}

function lossOn(model: Model, stream: Int32Array): Promise<{ meanNll: number }> {
  return evaluatePerplexity(model, stream, { window: CONTEXT, bos: 'none' });
}

async function lossRise(model: Model, tokenizer: LocalTokenizer, text: string): Promise<number[]> {
  const { rows } = await loadCalibration(text, { samples: 10, length: 128, seed: 1234 }, tokenizer);
  const { full, blocks } = await scoreBlocks(model, rows, { seed: 0 });
  return blocks.map(({ meanNll }) => meanNll - full.meanNll);
}

async function samples(model: Model, tokenizer: LocalTokenizer): Promise<Sample[]> {
  const written: Sample[] = [];
  for (const prompt of PROMPTS) {
    const ids = tokenizer.encode(prompt, { addSpecialTokens: true });
    const { ids: added } = await generate(model, ids, { maxNewTokens: NEW_TOKENS, greedy: true });
    written.push({ prompt, continuation: tokenizer.decode(added, { skipSpecialTokens: true }) });
  }
  return written;
}
