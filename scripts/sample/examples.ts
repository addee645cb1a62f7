/** Stories as training examples: each between BOS and EOS, joined to one stream, which is cut into windows. */
import { type Example } from '../../src/engine/retrain/data/example';
import { streamExamples } from '../../src/engine/retrain/data/windows';
import type { LocalTokenizer } from '../../src/engine/tokenizer/local';
import { CONTEXT, EOS_TOKEN_ID, WINDOW_STARTS } from './config';

/** Ids of the stories one after another: BOS, story, EOS, BOS, … */
export function storyStream(stories: readonly string[], tokenizer: Pick<LocalTokenizer, 'encode'>): Int32Array {
  return Int32Array.from(
    stories.flatMap((story) => [...tokenizer.encode(story, { addSpecialTokens: true }), EOS_TOKEN_ID]),
  );
}

/** The stream's windows from every start, the ragged last ones left out. */
export function trainingExamples(stream: Int32Array): Example[] {
  return WINDOW_STARTS.flatMap((start) => streamExamples([stream.subarray(start)], CONTEXT, [])).filter(
    ({ ids }) => ids.length === CONTEXT,
  );
}

/** The stream's windows side by side: every token is in one. */
export function heldOutExamples(stream: Int32Array): Example[] {
  return streamExamples([stream], CONTEXT, []);
}
