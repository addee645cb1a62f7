/** Sample texts with their settings: those of recorded runs, and those that models generate now. */
import type { LiveSamples, PanelRun, WriteSettings } from '../../../src/protocol/panel';
import { tokensText } from '../../support/amounts';
import { t } from '../../support/l10n';
import type { ColumnText } from './sample-column';

/** Drafts that the form offers. */
export const DRAFTS = ['int4', 'int8'] as const;

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
  /** Of texts that are not there yet. */
  readonly state?: 'waiting' | 'generating';
}

/** @param asked the panel's last request, which may be for other texts */
export function writtenNow(
  { prompt, columns, texts, status, precision, chat: isChat, system, earlier }: LiveSamples,
  asked: { readonly prompt: string; readonly settings: WriteSettings } | null,
): Written {
  const chat = isChat === true;
  return {
    title: prompt,
    when: null,
    prompts: [prompt],
    columns,
    ...stateOf(status),
    settings: asked?.prompt.trim() === prompt.trim() ? { ...asked.settings, ...asChat(chat, system) } : undefined,
    texts: texts.map((text, i) => ({
      ...text,
      label: columns[i],
      prompt,
      chat,
      ...(earlier?.[i] && { earlier: earlier[i] }),
      ...(precision !== undefined && { precision }),
      stopped: text.stopped ?? (status === 'failed' ? 'failed' : null),
      ...(status === 'queued' && { waits: true }),
    })),
  };
}

function stateOf(status: LiveSamples['status']): Pick<Written, 'state'> {
  if (status === 'queued') return { state: 'waiting' };
  return status === 'running' ? { state: 'generating' } : {};
}

export function writtenBy({ title, digest: { started, samples, settings, precision } }: PanelRun): Written {
  const { prompts, columns, texts, system, earlier } = samples!;
  const words = new Map(settings);
  const chat = samples!.chat ?? words.get('chat') === 'true'; // older reports have it among the settings only
  const found = settingsOf(words);
  return {
    title,
    when: started,
    prompts,
    columns,
    settings: found && { ...found, ...asChat(chat, system) },
    texts: texts.map(({ prompt, column, ...text }) => ({
      ...text,
      label: columns[column] ?? '',
      prompt: prompts[prompt] ?? '',
      chat,
      ...(earlier?.[column] && { earlier: earlier[column] }),
      ...(typeof precision === 'string' && { precision }),
    })),
  };
}

/** The settings of a chat. */
const asChat = (chat: boolean, system: string | undefined): Pick<WriteSettings, 'chat' | 'system'> => ({
  chat,
  ...(system !== undefined && { system }),
});

/** Reads the settings of a record, but for those of a chat. */
function settingsOf(words: ReadonlyMap<string, string>): WriteSettings | undefined {
  const number = (name: string): number | undefined => {
    const value = Number(words.get(name));
    return words.has(name) && Number.isFinite(value) ? value : undefined;
  };
  const [maxNewTokens, temperature, seed] = [number('maxNewTokens'), number('temperature'), number('seed')];
  if (maxNewTokens === undefined) return undefined;
  const draft = DRAFTS.find((each) => each === words.get('draft'));
  const isSampled = temperature !== undefined && seed !== undefined;
  return {
    maxNewTokens,
    chat: false,
    sampling: isSampled ? { temperature, topP: number('topP') ?? 1, seed } : null,
    ...(draft && { draft }),
  };
}

/** "random, temperature 0.8, top p 0.95, seed 1234; up to 64 tokens; chat template". */
export function settingsText({ maxNewTokens, chat, system, sampling, draft }: WriteSettings): string {
  const choice = sampling
    ? t('random, temperature {0}, top p {1}, seed {2}', sampling.temperature, sampling.topP, sampling.seed)
    : t('greedy');
  return [
    choice,
    t('up to {0}', tokensText(maxNewTokens)),
    ...(draft ? [t('draft {0}', draft)] : []),
    ...(chat ? [t('chat template')] : []),
    ...(chat && system !== undefined ? [t('system prompt “{0}”', system)] : []),
  ].join('; ');
}

/** The texts as an exported file has them. */
export const exported = ({ when, prompts, settings, texts }: Written, model: string): object => ({
  model,
  when,
  prompts,
  settings: settings ?? null,
  texts,
});
