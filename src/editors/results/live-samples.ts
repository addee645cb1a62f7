/** Collects the texts of several models while they generate, and delivers them in pieces. */
import type { Precision } from '../../engine/precision';
import { shownText } from '../../engine/option-token';
import { repetition } from '../../engine/records/repetition';
import { finite } from '../../engine/records/fields';
import { draftedOf } from '../../jobs/digest/samples';
import type { TextEvent } from '../../protocol/jobs';
import type { LiveNumbers, LiveSamples, LiveText } from '../../protocol/panel';
import type { SamplesResult, SampleText } from '../../jobs/results/generate';

interface Progress {
  text: string;
  readonly ids: number[];
  measured?: TextEvent['measured'];
  failure?: string;
  done?: SampleText;
}

/** The prompt, and what comes before it. */
export type Asked = Pick<LiveSamples, 'prompt' | 'chat' | 'system' | 'earlier'>;

export class SampleWriter {
  private readonly columns: readonly Progress[];
  private pieces: Pick<TextEvent, 'column' | 'text'>[] = [];
  private status: LiveSamples['status'] = 'queued';

  constructor(
    private readonly asked: Asked,
    private readonly labels: readonly string[],
    /** What the models compute in; undefined while that is not known. */
    private precision?: Precision,
  ) {
    this.columns = labels.map(() => ({ text: '', ids: [] }));
  }

  /** The job runs: nothing is before it any more. @returns whether that is new */
  begin(): boolean {
    if (this.status !== 'queued') return false;
    this.status = 'running';
    return true;
  }

  add({ column, text, ids, measured, failure }: TextEvent): void {
    const progress = this.columns[column];
    this.status = 'running';
    if (failure !== undefined) progress.failure = failure;
    progress.text += text;
    progress.ids.push(...ids);
    if (measured) progress.measured = measured;
    this.pieces.push({ column, text });
  }

  /** Takes the new text since the last call, and the numbers of all columns. */
  take(): { readonly pieces: readonly Pick<TextEvent, 'column' | 'text'>[]; readonly texts: readonly LiveNumbers[] } {
    const { pieces } = this;
    this.pieces = [];
    return { pieces, texts: this.columns.map((progress) => numbersOf(progress, this.status)) };
  }

  /** All texts are there. */
  finish({ samples, precision }: Pick<SamplesResult, 'samples' | 'precision'>): void {
    this.precision = precision;
    this.end('done', samples);
  }

  /** @param why the reason for columns without one of their own, if all failed */
  end(status: 'done' | 'failed' | 'cancelled', samples: readonly SampleText[] = [], why?: string): void {
    this.status = status;
    if (why !== undefined) for (const column of this.columns) column.failure ??= why;
    for (const sample of samples) this.columns[sample.column].done = sample;
  }

  get state(): LiveSamples {
    const texts = this.columns.map((progress): LiveText => {
      return { ...numbersOf(progress, this.status), text: progress.done?.text ?? progress.text };
    });
    const { status, asked, labels: columns, precision } = this;
    return { status, ...asked, columns, ...(precision !== undefined && { precision }), texts };
  }
}

/** Numbers of a column. The sidecar's clock counts only the column's own time, not its waiting. */
function numbersOf({ ids, measured, failure, done }: Progress, status: LiveSamples['status']): LiveNumbers {
  const share = repetition(done?.ids ?? ids);
  const times = done ?? measured;
  const why = done?.failure ?? failure;
  return {
    tokens: (done?.ids ?? ids).length,
    timeToFirstToken: finite(times?.timeToFirstToken),
    tokensPerSecond: finite(times?.decodeTokensPerSecond),
    repetition: finite(share),
    ...(times?.draft && { draft: draftedOf(times.draft) }),
    stopped: done?.stopped ?? (why !== undefined ? 'failed' : ended(status)),
    ...(why !== undefined && { failure: shownText(why) }),
  };
}

const ended = (status: LiveSamples['status']): 'cancelled' | 'failed' | null =>
  status === 'cancelled' || status === 'failed' ? status : null;
