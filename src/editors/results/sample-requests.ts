/** Lets models generate side by side, one prompt at a time. A new prompt stops the one before. */
import type { UserFailure } from '../../protocol/errors';
import type { PanelMessage } from '../../protocol/panel';
import type { Column } from './columns';
import { SampleWriter } from './live-samples';
import type { PanelStore } from './panel-store';
import type { PanelServices } from './services';
import { Throttle } from '../../sidecar/timers';

/** New text is sent at most this often. */
const TELL_MS = 50;

export class SampleRequests {
  private running: AbortController | undefined;

  constructor(
    private readonly services: Pick<PanelServices, 'sidecar' | 'settings'>,
    private readonly store: PanelStore,
    private readonly failureOf: (error: unknown) => UserFailure | undefined,
  ) {}

  /** @param columns those that write; a failure of the whole job is shown in each of them */
  async write(
    { prompt, settings }: Pick<Extract<PanelMessage, { type: 'samples/write' }>, 'prompt' | 'settings'>,
    columns: readonly Column[],
  ): Promise<void> {
    const { compute, textPrecision, recordFolders: records } = this.services.settings();
    this.stop();
    const { signal } = (this.running = new AbortController());
    const labels = columns.map(({ label }) => label);
    const writer = new SampleWriter(prompt, labels, textPrecision === 'auto' ? undefined : textPrecision);
    this.store.update({ writing: writer.state });
    const throttle = new Throttle(TELL_MS, () => {
      if (!signal.aborted) this.store.post({ type: 'text', ...writer.take() }, { writing: writer.state });
    });
    const { maxNewTokens, chat, sampling } = settings;
    try {
      const { result } = await this.services.sidecar.run(
        {
          kind: 'samples',
          prompts: [prompt],
          chat,
          maxNewTokens,
          ...sampling,
          precision: textPrecision,
          ...compute,
          records,
          columns: columns.map(({ label, source }) => ({ label, ...source })),
        },
        {
          signal,
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
      throttle.now();
      if (this.running?.signal === signal) this.store.update({ writing: writer.state });
    }
  }

  stop(): void {
    this.running?.abort();
  }
}
