/** The texts of a run that let models write, and what was asked of them. */
import type { DraftedDigest, SamplesDigest } from '../../engine/records/digest-types';
import { finite, objects, text } from '../../engine/records/fields';
import { repetition } from '../../engine/records/repetition';
import { shownText } from '../../engine/option-token';
import { defined } from '../../format/defined';
import type { JsonObject } from '../../format/json';
import { type Read, readResult } from '../read-result';
import type { DraftUse, SampleText } from '../results/generate';

/** @param prompts those of the settings */
export function samplesOf(results: unknown, prompts: readonly string[]): SamplesDigest {
  const { columns = [], samples = [] } = readResult('samples', results);
  return { prompts, columns: columns.map(({ label = '' }) => label), texts: samples.map(textOf) };
}

function textOf(sample: Read<SampleText>): SamplesDigest['texts'][number] {
  const { prompt = 0, column = 0, text, ids = [], stopped = '', failure, draft } = sample;
  return defined({
    prompt,
    column,
    text: text ?? '',
    tokens: ids.length,
    timeToFirstToken: finite(sample.timeToFirstToken),
    tokensPerSecond: finite(sample.decodeTokensPerSecond),
    repetition: finite(repetition(ids)),
    draft: draft && draftedOf(draft),
    stopped,
    failure: failure === undefined ? undefined : shownText(failure),
  });
}

/** What a draft did. */
export const draftedOf = ({ model = '', drafted = 0, accepted = 0 }: Read<DraftUse>): DraftedDigest => ({
  model,
  drafted,
  accepted,
});

/** What a chat said before the prompt. */
export function askedOf({ chat, system, earlier }: JsonObject): Pick<SamplesDigest, 'chat' | 'system' | 'earlier'> {
  const turns = Array.isArray(earlier) ? earlier.map(turnsBefore) : [];
  return defined({
    chat: chat === true ? chat : undefined,
    system: text(system),
    earlier: turns.length > 0 ? turns : undefined,
  });
}

const turnsBefore = (turns: unknown): NonNullable<SamplesDigest['earlier']>[number] =>
  objects(turns).map(({ role, content }) => ({
    role: role === 'assistant' ? role : 'user',
    content: text(content) ?? '',
  }));

/** One continuation, or those of a file of prompts. */
export function generatedOf(
  results: unknown,
  label: string,
  prompts: readonly string[],
  { prompt }: JsonObject,
): SamplesDigest {
  const { texts, ...one } = readResult('generate', results);
  const shown = (samples: readonly Read<SampleText>[]): SamplesDigest['texts'] => samples.map(textOf);
  if (!texts)
    return { prompts: text(prompt) === undefined ? [] : [text(prompt)!], columns: [label], texts: shown([one]) };
  return { prompts, columns: [label], texts: shown(texts.map((each, at) => ({ ...each, prompt: at, column: 0 }))) };
}
