/**
 * Lets models generate side by side, one prompt at a time. A new prompt stops the one before. What was written last can
 * go on: each model continues the conversation, or the text, that it wrote itself.
 */
import { defined } from '../../format/defined';
import type { UserFailure } from '../../protocol/errors';
import type { LiveSamples, PanelMessage, WriteSettings } from '../../protocol/panel';
import type { ChatTurn } from '../../protocol/jobs';
import type { Column } from './columns';
import { type Asked, SampleWriter } from './live-samples';
import type { PanelStore } from './panel-store';
import type { PanelServices } from './services';
import { Throttle } from '../../sidecar/timers';

/** New text is sent at most this often. */
const TELL_MS = 50;

type Message<T extends PanelMessage['type']> = Extract<PanelMessage, { readonly type: T }>;

/** The texts that were written last, and by which models: the plan that began a conversation goes on with it. */
interface Last {
  readonly columns: readonly Column[];
  readonly writing: LiveSamples;
}

export class SampleRequests {
  private running: AbortController | undefined;
  private last: Last | undefined;

  constructor(
    private readonly services: Pick<PanelServices, 'sidecar' | 'settings'>,
    private readonly store: PanelStore,
    private readonly failureOf: (error: unknown) => UserFailure | undefined,
  ) {}

  /** @param columns those that write; a failure of the whole job is shown in each of them */
  write(
    { prompt, settings }: Pick<Message<'samples/write'>, 'prompt' | 'settings'>,
    columns: readonly Column[],
  ): Promise<void> {
    const { chat, system } = settings;
    const asked = { prompt, ...(chat && { chat }), ...(chat && system !== undefined && { system }) };
    return this.run(asked, settings, columns);
  }

  /** The next turn. A turn that failed is asked again; models that have written nothing at all are left out. */
  async reply({ prompt, settings }: Pick<Message<'samples/reply'>, 'prompt' | 'settings'>): Promise<void> {
    if (!this.last) return;
    const { columns, writing } = this.last;
    const able = [...columns.keys()].filter((at) => turnsOf(writing, at).length > 0);
    if (able.length === 0) return;
    const { chat, system } = writing;
    const asked: Asked = {
      prompt: chat ? prompt : joined(prompt),
      ...(chat && { chat }),
      ...(system !== undefined && { system }),
      earlier: able.map((at) => turnsOf(writing, at)),
    };
    const going = able.map((at) => columns[at]);
    await this.run(asked, settings, going);
  }

  /** Forgets the last texts. */
  clear(): void {
    this.stop();
    this.running = undefined;
    this.last = undefined;
    this.store.update({ writing: null });
  }

  stop(): void {
    this.running?.abort();
  }

  private async run(
    asked: Asked,
    { maxNewTokens, sampling, draft }: WriteSettings,
    columns: readonly Column[],
  ): Promise<void> {
    const { compute, textPrecision, recordFolders: records } = this.services.settings();
    this.stop();
    const { signal } = (this.running = new AbortController());
    const labels = columns.map(({ label }) => label);
    const writer = new SampleWriter(asked, labels, textPrecision === 'auto' ? undefined : textPrecision);
    this.store.update({ writing: writer.state });
    const throttle = new Throttle(TELL_MS, () => {
      if (!signal.aborted) this.store.post({ type: 'text', ...writer.take() }, { writing: writer.state });
    });
    const { prompt, chat = false, system, earlier } = asked;
    let id: string | undefined;
    const following = this.services.sidecar.onJobs((jobs) => {
      const isRunning = jobs.some((job) => job.id === id && job.state === 'running');
      if (isRunning && !signal.aborted && writer.begin()) this.store.update({ writing: writer.state });
    });
    try {
      const { result } = await this.services.sidecar.run(
        {
          kind: 'samples',
          prompts: [prompt],
          chat,
          ...defined({ system, earlier, draft }),
          maxNewTokens,
          ...sampling,
          precision: textPrecision,
          ...compute,
          records,
          columns: columns.map(({ label, source }) => ({ label, ...source })),
        },
        {
          signal,
          onQueued: (given) => (id = given),
          onEvent: (event) => {
            writer.add(event);
            throttle.ask();
          },
        },
      );
      writer.finish(result);
    } catch (error) {
      const failure = this.failureOf(error);
      writer.end(failure ? 'failed' : 'cancelled', [], failure && `${failure.what}: ${failure.why}. ${failure.action}`);
    } finally {
      following.dispose();
      throttle.now();
      if (this.running?.signal === signal) {
        this.last = { columns, writing: writer.state };
        this.store.update({ writing: writer.state });
      }
    }
  }
}

/** The turns of a column that have an answer. */
function turnsOf({ earlier, prompt, texts }: LiveSamples, at: number): readonly ChatTurn[] {
  const before = earlier?.[at] ?? [];
  const { text: content, stopped } = texts[at];
  return stopped === 'failed' ? before : [...before, { role: 'user', content: prompt }, { role: 'assistant', content }];
}

/** A word that continues a text needs a blank before it, except in writings without blanks. */
const joined = (text: string): string =>
  /^[\p{L}\p{N}]/u.test(text) && !/^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u.test(text)
    ? ` ${text}`
    : text;
