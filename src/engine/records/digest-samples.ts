/** The texts of a run that let models write, and what was asked of them. */
import type { JsonObject } from '../../format/json';
import { shownText } from '../option-token';
import type { SamplesDigest } from './digest-types';
import { entries, finite, objects, text, texts } from './fields';
import { repetition } from './repetition';

/** @param prompts those of the settings */
export function samplesOf(results: JsonObject, prompts: readonly string[]): SamplesDigest {
  return {
    prompts,
    columns: objects(results.columns).map(({ label }) => text(label) ?? ''),
    texts: objects(results.samples).map((sample) => {
      const ids = entries(sample.ids).filter((id): id is number => typeof id === 'number');
      const failure = text(sample.failure);
      return {
        prompt: finite(sample.prompt) ?? 0,
        column: finite(sample.column) ?? 0,
        text: text(sample.text) ?? '',
        tokens: ids.length,
        timeToFirstToken: finite(sample.timeToFirstToken),
        tokensPerSecond: finite(sample.decodeTokensPerSecond),
        repetition: finite(repetition(ids)),
        stopped: text(sample.stopped) ?? '',
        ...(failure !== undefined && { failure: shownText(failure) }),
      };
    }),
  };
}

/** What a chat said before the prompt. */
export function askedOf({ chat, system, earlier }: JsonObject): Pick<SamplesDigest, 'chat' | 'system' | 'earlier'> {
  const turns = Array.isArray(earlier) ? earlier.map(turnsBefore) : [];
  return {
    ...(chat === true && { chat }),
    ...(typeof system === 'string' && { system }),
    ...(turns.length > 0 && { earlier: turns }),
  };
}

const turnsBefore = (turns: unknown): NonNullable<SamplesDigest['earlier']>[number] =>
  objects(turns).map(({ role, content }) => ({
    role: role === 'assistant' ? role : 'user',
    content: text(content) ?? '',
  }));

/** One continuation, or those of a file of prompts. */
export function generatedOf(
  results: JsonObject,
  model: string,
  prompts: readonly string[],
  { prompt }: JsonObject,
): SamplesDigest {
  if (Array.isArray(results.texts)) return samplesOf(textsAsSamples(results, model), prompts);
  return samplesOf({ columns: [{ label: model }], samples: [results] }, texts([prompt]));
}

/** The texts of a file of prompts, as samples of one column. */
const textsAsSamples = ({ texts: written }: JsonObject, model: string): JsonObject => ({
  columns: [{ label: model }],
  samples: objects(written).map((text, prompt) => ({ ...text, prompt, column: 0 })),
});
