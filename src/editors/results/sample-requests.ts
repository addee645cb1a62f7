/** Lets models write side by side, one prompt at a time: a new one ends the one before. */
import type { UserFailure } from '../../protocol/errors';
import type { LiveSamples, PanelMessage } from '../../protocol/panel';
import type { Column } from './columns';
import { SampleWriter } from './live-samples';
import type { PanelServices } from './services';
import { Throttle } from './throttle';

/** Text is told so often at most. */
const TELL_MS = 50;

type Pieces = ReturnType<SampleWriter['take']>;

export class SampleRequests {
  private running: AbortController | undefined;

  constructor(
    private readonly services: Pick<PanelServices, 'sidecar' | 'settings'>,
    private readonly changed: (writing: LiveSamples) => void,
    private readonly grown: (pieces: Pieces, writing: LiveSamples) => void,
    private readonly failureOf: (error: unknown) => UserFailure | undefined,
  ) {}

  /** @param columns those that are to write; what keeps all of them from it stands in each */
  async write(
    { prompt, settings }: Pick<Extract<PanelMessage, { type: 'samples/write' }>, 'prompt' | 'settings'>,
    columns: readonly Column[],
  ): Promise<void> {
    const { sidecar } = this.services;
    const { compute, recordFolders: records } = this.services.settings();
    this.stop();
    const { signal } = (this.running = new AbortController());
    const labels = columns.map(({ label }) => label);
    const writer = new SampleWriter(prompt, labels);
    this.changed(writer.state);
    const throttle = new Throttle(TELL_MS, () => {
      if (!signal.aborted) this.grown(writer.take(), writer.state);
    });
    const { maxNewTokens, chat, sampling } = settings;
    try {
      const { result } = await sidecar.run(
        {
          ...{ kind: 'samples', prompts: [prompt], chat, maxNewTokens, ...sampling, ...compute, records },
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
      writer.end('done', result.samples);
    } catch (error) {
      const failure = this.failureOf(error);
      writer.end(failure ? 'failed' : 'cancelled', [], failure && `${failure.what}: ${failure.why}. ${failure.action}`);
    } finally {
      throttle.now();
      if (this.running?.signal === signal) this.changed(writer.state);
    }
  }

  stop(): void {
    this.running?.abort();
  }
}
