/** The terminal of a task that runs a recipe. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { CancelledError, messageOf, UserError } from '../../engine/errors';
import { capitalized } from '../../format/words';
import { openRecipe } from '../../host/recipes/choose-recipe';
import type { Coppice } from '../../host/coppice';
import { runningLine } from '../../host/recipes/recipe-runs';
import { requireTrusted } from '../../host/restricted';
import type { RecipeRequest } from '../../recipes/plan';
import { endLine, eventLines, EXIT_CODES } from './task-output';
import type { RecipeTask } from './task-provider';

/** Progress replaces its line at most this often. */
const LINE_MS = 200;

/** What ends with a code before this has failed to launch, as VS Code says it. */
const LAUNCH_MS = 600;

/** A terminal that runs one recipe. Closing it cancels the run. */
export class RecipeTerminal implements vscode.Pseudoterminal {
  private readonly written = new vscode.EventEmitter<string>();
  private readonly closed = new vscode.EventEmitter<number>();
  private readonly controller = new AbortController();
  readonly onDidWrite = this.written.event;
  readonly onDidClose = this.closed.event;
  /** Whether the last line is one of progress, which the next replaces. */
  private passing = false;
  private columns = 80;

  constructor(
    private readonly coppice: Coppice,
    private readonly file: string,
    private readonly task: RecipeTask,
  ) {}

  open(size: vscode.TerminalDimensions | undefined): void {
    if (size) this.columns = size.columns;
    const begun = Date.now();
    void this.run().then((code) => {
      const wait = code === 0 ? 0 : Math.max(0, LAUNCH_MS - (Date.now() - begun));
      setTimeout(() => this.closed.fire(code), wait);
    });
  }

  setDimensions({ columns }: vscode.TerminalDimensions): void {
    this.columns = columns;
  }

  close(): void {
    this.controller.abort();
  }

  /** Ctrl+C cancels. */
  handleInput(data: string): void {
    if (data.includes('\x03')) this.controller.abort();
  }

  private async run(): Promise<number> {
    const { recipes } = this.coppice;
    let shown = 0;
    const listening = recipes.onChange((changed) => {
      const running = recipes.of(this.file);
      if (changed !== this.file || running?.step === undefined || Date.now() - shown < LINE_MS) return;
      shown = Date.now();
      this.pass(runningLine(running));
    });
    try {
      requireTrusted(vscode.workspace.isTrusted);
      const { end, error } = await recipes.run(await this.request(), {
        signal: this.controller.signal,
        onEvent: (event) => eventLines(event).forEach((line) => this.line(line)),
      });
      if (error !== undefined && !(error instanceof UserError)) this.coppice.log.error(messageOf(error));
      this.line(endLine(end));
      return EXIT_CODES[end.ended];
    } catch (error) {
      this.line(faultOf(error, this.file));
      return error instanceof CancelledError ? CANCELLED : EXIT_CODES.failed;
    } finally {
      listening.dispose();
    }
  }

  private async request(): Promise<RecipeRequest> {
    const { step, quick } = this.task;
    const recipe = await openRecipe(this.file);
    return { recipe, ...(quick && { quick }), ...(step !== undefined && { only: [step] }) };
  }

  private line(text: string): void {
    this.written.fire(`${this.passing ? CLEAR : ''}${printable(text)}\r\n`);
    this.passing = false;
  }

  private pass(text: string): void {
    this.written.fire(`${this.passing ? CLEAR : ''}  ${printable(text).slice(0, Math.max(10, this.columns - 4))}`);
    this.passing = true;
  }
}

/** As programs end that Ctrl+C ended. */
const CANCELLED = 130;
/** Back to the start of the line, and empties it. */
const CLEAR = '\r\x1b[K';

/** Names in a recipe must not steer the terminal. */
// eslint-disable-next-line no-control-regex
const printable = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ');

function faultOf(error: unknown, file: string): string {
  if (error instanceof CancelledError) return vscode.l10n.t('{0}: cancelled. Finished steps are kept.', basename(file));
  if (error instanceof UserError) return capitalized(`${error.what}: ${error.why}. ${error.action}`);
  return vscode.l10n.t('An unexpected error occurred in Coppice: {0}', messageOf(error));
}
