/** Serves one page of the checkpoint editor. It does not use VS Code, so that tests run in Node. */
import { CancelledError, messageOf, UserError } from '../engine/errors';
import { shownText } from '../engine/option-token';
import { l10n } from '../l10n';
import type { FromEditorPage, ModelAction, StatisticsState, ToEditorPage } from '../protocol/editor';
import type { TensorStatistics } from '../protocol/short';
import type { Inspection } from './inspection';
import { TensorTable } from './table';

/** What the session needs from VS Code and the sidecar. */
export interface EditorHost {
  /** Sends a message to the page. */
  post(message: ToEditorPage): void;
  copy(text: string): void;
  openText(): void;
  /** Does something with the model of the file. */
  act(action: ModelAction): void;
  /** Computes a tensor's statistics. @throws UserError, CancelledError */
  statistics(
    tensor: string,
    onProgress: (done: number, total: number) => void,
    signal: AbortSignal,
  ): Promise<TensorStatistics>;
  /** Logs an error that is not a `UserError`. */
  unexpected(error: unknown): void;
}

export class EditorSession {
  private inspection: Promise<Inspection> | undefined;
  private table: TensorTable | undefined;
  private asked: AbortController | undefined;

  constructor(
    private readonly host: EditorHost,
    private readonly inspect: () => Promise<Inspection>,
  ) {}

  /** Answers a message of the page. */
  async receive(message: FromEditorPage): Promise<void> {
    switch (message.type) {
      case 'ready':
        return this.describe();
      case 'rows': {
        const { request, start, end, query } = message;
        const page = (await this.rows()).page(query, start, end);
        this.host.post({ type: 'rows', request, ...page });
        break;
      }
      case 'statistics':
        return this.statistics(message.tensor);
      case 'cancelStatistics':
        this.asked?.abort();
        break;
      case 'copy':
        this.host.copy(message.text);
        break;
      case 'copyTable':
        this.host.copy((await this.rows()).copy(message.query));
        break;
      case 'openText':
        this.host.openText();
        break;
      case 'act':
        this.host.act(message.action);
        break;
    }
  }

  /** Reads the file again and shows its new content. */
  async refresh(): Promise<void> {
    this.inspection = undefined;
    this.table = undefined;
    await this.describe();
  }

  dispose(): void {
    this.asked?.abort();
  }

  private async describe(): Promise<void> {
    const { description } = await (this.inspection ??= this.inspect());
    this.host.post({ type: 'init', description });
  }

  private async rows(): Promise<TensorTable> {
    return (this.table ??= new TensorTable((await (this.inspection ??= this.inspect())).rows));
  }

  /** A newer request cancels the one before. */
  private async statistics(tensor: string): Promise<void> {
    this.asked?.abort();
    const { signal } = (this.asked = new AbortController());
    const tell = (state: StatisticsState): void => this.host.post({ type: 'statistics', tensor, state });
    tell({ kind: 'running', done: 0, total: 1 });
    try {
      const onProgress = (done: number, total: number): void => tell({ kind: 'running', done, total });
      tell({ kind: 'done', statistics: await this.host.statistics(tensor, onProgress, signal) });
    } catch (error) {
      tell(this.failure(tensor, error));
    }
  }

  private failure(tensor: string, error: unknown): StatisticsState {
    if (error instanceof CancelledError) return { kind: 'cancelled' };
    if (error instanceof UserError) {
      const [what, why, action] = [error.what, error.why, error.action].map(shownText);
      return { kind: 'failed', what, why, action };
    }
    this.host.unexpected(error);
    const why = messageOf(error);
    return {
      kind: 'failed',
      what: l10n.t('No statistics of {0}', tensor),
      why,
      action: l10n.t('See the log for details.'),
    };
  }
}
