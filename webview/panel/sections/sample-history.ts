/** Sample texts with their settings: those of recorded runs, and those that models generate now. */
import type { LiveSamples, PanelRun, WriteSettings } from '../../../src/protocol/panel';
import { tokensText } from '../../support/amounts';
import { t } from '../../support/l10n';
import type { ColumnText } from './sample-column';

/** The texts of several models from the same settings. */
export interface Written {
  readonly title: string;
  /** ISO 8601; null for texts of this session. */
  readonly when: string | null;
  readonly prompts: readonly string[];
  readonly columns: readonly string[];
  /** Undefined if unknown. */
  readonly settings: WriteSettings | undefined;
  readonly texts: readonly ColumnText[];
}

/** @param asked the panel's last request, which may be for other texts */
export function writtenNow(
  { prompt, columns, texts, status, precision }: LiveSamples,
  asked: { readonly prompt: string; readonly settings: WriteSettings } | null,
): Written {
  return {
    title: prompt,
    when: null,
    prompts: [prompt],
    columns,
    settings: asked?.prompt === prompt ? asked.settings : undefined,
    texts: texts.map((text, i) => ({
      ...text,
      label: columns[i],
      prompt,
      ...(precision !== undefined && { precision }),
      stopped: text.stopped ?? (status === 'failed' ? 'failed' : null),
    })),
  };
}

export function writtenBy({ title, digest: { started, samples, settings, precision } }: PanelRun): Written {
  const { prompts, columns, texts } = samples!;
  return {
    title,
    when: started,
    prompts,
    columns,
    settings: settingsOf(new Map(settings)),
    texts: texts.map(({ prompt, column, ...text }) => ({
      ...text,
      label: columns[column] ?? '',
      prompt: prompts[prompt] ?? '',
      ...(typeof precision === 'string' && { precision }),
    })),
  };
}

/** Reads the settings of a record. */
function settingsOf(words: ReadonlyMap<string, string>): WriteSettings | undefined {
  const number = (name: string): number | undefined => {
    const value = Number(words.get(name));
    return words.has(name) && Number.isFinite(value) ? value : undefined;
  };
  const [maxNewTokens, temperature, seed] = [number('maxNewTokens'), number('temperature'), number('seed')];
  if (maxNewTokens === undefined) return undefined;
  const isSampled = temperature !== undefined && seed !== undefined;
  return {
    maxNewTokens,
    chat: words.get('chat') === 'true',
    sampling: isSampled ? { temperature, topP: number('topP') ?? 1, seed } : null,
  };
}

/** "random, temperature 0.8, top p 0.95, seed 1234; up to 64 tokens; chat template". */
export function settingsText({ maxNewTokens, chat, sampling }: WriteSettings): string {
  const choice = sampling
    ? t('random, temperature {0}, top p {1}, seed {2}', sampling.temperature, sampling.topP, sampling.seed)
    : t('greedy');
  return [choice, t('up to {0}', tokensText(maxNewTokens)), ...(chat ? [t('chat template')] : [])].join('; ');
}

/** The texts as an exported file has them. */
export const exported = ({ when, prompts, settings, texts }: Written, model: string): object => ({
  model,
  when,
  prompts,
  settings: settings ?? null,
  texts,
});
