/** What was written and how: by runs that left a record, and what is being written now. */
import type { LiveSamples, PanelRun, WriteSettings } from '../../../src/protocol/panel';
import { counted } from '../../support/numbers';
import type { ColumnText } from './sample-column';

/** Models that wrote, from the same settings. */
export interface Written {
  readonly title: string;
  /** ISO 8601; null while it is being written. */
  readonly when: string | null;
  readonly prompts: readonly string[];
  readonly columns: readonly string[];
  /** Undefined where nothing tells. */
  readonly settings: WriteSettings | undefined;
  readonly texts: readonly ColumnText[];
}

/** @param asked what the panel asked for last, which may be something else */
export function writtenNow(
  { prompt, columns, texts, status }: LiveSamples,
  asked: { readonly prompt: string; readonly settings: WriteSettings } | null,
): Written {
  return {
    ...{ title: prompt, when: null, prompts: [prompt], columns },
    settings: asked?.prompt === prompt ? asked.settings : undefined,
    texts: texts.map((text, i) => ({
      ...text,
      label: columns[i],
      prompt,
      stopped: text.stopped ?? (status === 'failed' ? 'failed' : null),
    })),
  };
}

export function writtenBy({ title, digest: { started, samples, settings } }: PanelRun): Written {
  const { prompts, columns, texts } = samples!;
  return {
    ...{ title, when: started, prompts, columns, settings: settingsOf(new Map(settings)) },
    texts: texts.map(({ prompt, column, ...text }) => ({
      ...text,
      label: columns[column] ?? '',
      prompt: prompts[prompt] ?? '',
    })),
  };
}

/** From the words of a record. */
function settingsOf(words: ReadonlyMap<string, string>): WriteSettings | undefined {
  const number = (name: string): number | undefined => {
    const value = Number(words.get(name));
    return words.has(name) && Number.isFinite(value) ? value : undefined;
  };
  const [maxNewTokens, temperature, seed] = [number('maxNewTokens'), number('temperature'), number('seed')];
  if (maxNewTokens === undefined) return undefined;
  const isSampled = temperature !== undefined && seed !== undefined;
  return {
    ...{ maxNewTokens, chat: words.get('chat') === 'true' },
    sampling: isSampled ? { temperature, topP: number('topP') ?? 1, seed } : null,
  };
}

/** "sampled, temperature 0.8, top p 0.95, seed 1234; up to 64 tokens; chat template". */
export function settingsText({ maxNewTokens, chat, sampling }: WriteSettings): string {
  const choice = sampling
    ? `sampled, temperature ${sampling.temperature}, top p ${sampling.topP}, seed ${sampling.seed}`
    : 'greedy';
  return [choice, `up to ${counted(maxNewTokens, 'token')}`, ...(chat ? ['chat template'] : [])].join('; ');
}

/** As a file holds it. */
export const exported = ({ when, prompts, settings, texts }: Written, model: string): object => ({
  ...{ model, when, prompts, settings: settings ?? null, texts },
});
