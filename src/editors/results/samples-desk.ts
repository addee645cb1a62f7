/** Lets models write side by side, one prompt at a time: a new one ends the one before. */
import { CancelledError } from '../../engine/errors';
import type { LiveSamples, PanelMessage } from '../../protocol/panel';
import { columnsOf } from './facts';
import { SampleWriter } from './live-samples';
import type { PanelServices } from './services';
import { Throttle } from './throttle';

/** Text is told so often at most. */
const TELL_MS = 50;

type Pieces = ReturnType<SampleWriter['take']>;

export class SamplesDesk {
  private running: AbortController | undefined;

  constructor(
    private readonly path: string,
    private readonly services: PanelServices,
    private readonly changed: (writing: LiveSamples) => void,
    private readonly grown: (pieces: Pieces, writing: LiveSamples) => void,
  ) {}

  /** @param removed the plan @throws what the sidecar throws, but for being stopped */
  async write(
    { prompt, columns, settings }: Extract<PanelMessage, { type: 'samples/write' }>,
    removed: readonly number[],
  ): Promise<void> {
    const { sidecar, neighbours } = this.services;
    const chosen = columnsOf(this.path, removed, neighbours()).filter(({ id }) => columns.includes(id));
    const { compute, recordFolders } = this.services.settings();
    this.stop();
    const { signal } = (this.running = new AbortController());
    const labels = chosen.map(({ label }) => label);
    const writer = new SampleWriter(prompt, labels);
    this.changed(writer.state);
    const throttle = new Throttle(TELL_MS, () => {
      if (!signal.aborted) this.grown(writer.take(), writer.state);
    });
    const { maxNewTokens, chat, sampling } = settings;
    try {
      const { result } = await sidecar.run(
        {
          ...{
            kind: 'samples',
            prompts: [prompt],
            chat,
            maxNewTokens,
            ...sampling,
            ...compute,
            records: recordFolders,
          },
          columns: chosen.map(({ label, source }) => ({ label, ...source })),
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
      writer.end(error instanceof CancelledError ? 'done' : 'failed');
      if (!(error instanceof CancelledError)) throw error;
    } finally {
      throttle.now();
      if (this.running?.signal === signal) this.changed(writer.state);
    }
  }

  stop(): void {
    this.running?.abort();
  }
}
