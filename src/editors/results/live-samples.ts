/** Texts that are being written side by side: what came so far, told in pieces. */
import { repetition } from '../../engine/evaluate/repetition';
import type { TextEvent } from '../../protocol/jobs';
import type { LiveNumbers, LiveSamples, LiveText } from '../../protocol/panel';
import type { SampleText } from '../../protocol/samples';

interface Progress {
  text: string;
  readonly ids: number[];
  /** Milliseconds after the start; undefined before the first token. */
  first?: number;
  last: number;
  done?: SampleText;
}

export class SampleWriter {
  private readonly columns: readonly Progress[];
  private readonly start = performance.now();
  private pieces: Pick<TextEvent, 'column' | 'text'>[] = [];
  private status: LiveSamples['status'] = 'queued';

  constructor(
    private readonly prompt: string,
    private readonly labels: readonly string[],
  ) {
    this.columns = labels.map(() => ({ text: '', ids: [], last: 0 }));
  }

  add({ column, text, ids }: TextEvent): void {
    const progress = this.columns[column];
    this.status = 'running';
    progress.text += text;
    progress.ids.push(...ids);
    progress.last = performance.now() - this.start;
    progress.first ??= progress.last;
    this.pieces.push({ column, text });
  }

  /** What came since the last call, and the numbers of all columns. */
  take(): { readonly pieces: readonly Pick<TextEvent, 'column' | 'text'>[]; readonly texts: readonly LiveNumbers[] } {
    const { pieces } = this;
    this.pieces = [];
    return { pieces, texts: this.columns.map(numbersOf) };
  }

  end(status: 'done' | 'failed', samples: readonly SampleText[] = []): void {
    this.status = status;
    for (const sample of samples) this.columns[sample.column].done = sample;
  }

  get state(): LiveSamples {
    const texts = this.columns.map((progress): LiveText => {
      return { ...numbersOf(progress), text: progress.done?.text ?? progress.text };
    });
    return { status: this.status, prompt: this.prompt, columns: this.labels, texts };
  }
}

/** Until a column is done, by the clock on the wall, on which the columns take turns. */
function numbersOf({ ids, first, last, done }: Progress): LiveNumbers {
  const share = repetition(done?.ids ?? ids);
  const repeated = Number.isNaN(share) ? null : share;
  const finite = (value: unknown): number | null =>
    typeof value === 'number' && Number.isFinite(value) ? value : null;
  if (done) {
    return {
      tokens: done.ids.length,
      timeToFirstToken: finite(done.timeToFirstToken),
      tokensPerSecond: finite(done.decodeTokensPerSecond),
      repetition: repeated,
      stopped: done.stopped,
    };
  }
  const elapsed = first === undefined ? 0 : (last - first) / 1000;
  return {
    tokens: ids.length,
    timeToFirstToken: first === undefined ? null : first / 1000,
    tokensPerSecond: elapsed > 0 ? (ids.length - 1) / elapsed : null,
    repetition: repeated,
    stopped: null,
  };
}
