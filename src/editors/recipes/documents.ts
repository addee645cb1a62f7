/** The recipes that are open in the editor: read again while the user types, and planned where something is done already. */
import * as vscode from 'vscode';
import { CancelledError, messageOf, UserError } from '../../engine/errors';
import type { JsonObject } from '../../format/json';
import { capitalized } from '../../format/words';
import type { Coppice } from '../../host/coppice';
import { isRecipe } from '../../host/recipes/recipe-files';
import { planSession } from '../../recipes/plan';
import { parseRecipe, type ReadRecipe } from '../../recipes/read';
import type { Recipe } from '../../recipes/recipe';
import { Session } from '../../recipes/session';
import { readResult } from '../../recipes/state';
import type { RecipePlan, LimitCheck } from '../../recipes/types';
import { Emitter } from '../../sidecar/emitter';
import { verdictsOf } from './verdicts';

/** What is known of an open recipe. */
export interface RecipeStatus {
  readonly text: string;
  readonly read: ReadRecipe;
  /** Undefined for a recipe with problems, one of which nothing is done yet, and before it is known. */
  readonly plan?: RecipePlan;
  /** Why there is no plan: an input that is missing. */
  readonly fault?: string;
  /** Of the steps that are done, by name. */
  readonly results: ReadonlyMap<string, JsonObject>;
  readonly verdicts: readonly LimitCheck[];
}

/** After the last key. */
const QUIET_MS = 250;
/** What runs of recipes write, also those of the command line. */
const STATES = '**/.coppice/*/state.json';

export class RecipeDocuments implements vscode.Disposable {
  private readonly found = new Map<string, RecipeStatus>();
  private readonly waiting = new Map<string, NodeJS.Timeout>();
  private readonly looking = new Map<string, AbortController>();
  private readonly changed = new Emitter<string>();
  private readonly subscriptions: { dispose(): void }[];
  /** The status of a recipe is new: its path. */
  readonly onChange = this.changed.on;

  constructor(private readonly coppice: Pick<Coppice, 'recipes' | 'log'>) {
    const states = vscode.workspace.createFileSystemWatcher(STATES);
    const all = (): void => this.open.forEach((document) => this.soon(document));
    this.subscriptions = [
      vscode.workspace.onDidOpenTextDocument((document) => this.soon(document, 0)),
      vscode.workspace.onDidChangeTextDocument(({ document }) => this.soon(document)),
      vscode.workspace.onDidCloseTextDocument(({ uri }) => this.forget(uri.fsPath)),
      vscode.workspace.onDidGrantWorkspaceTrust(all),
      states,
      states.onDidChange(all),
      states.onDidCreate(all),
      states.onDidDelete(all),
      coppice.recipes.onChange((file) => this.afterRun(file)),
    ];
    this.open.forEach((document) => this.soon(document, 0));
  }

  of(file: string): RecipeStatus | undefined {
    return this.found.get(file);
  }

  dispose(): void {
    for (const timer of this.waiting.values()) clearTimeout(timer);
    for (const look of this.looking.values()) look.abort();
    for (const each of this.subscriptions) each.dispose();
  }

  private get open(): readonly vscode.TextDocument[] {
    return vscode.workspace.textDocuments.filter(isRecipe);
  }

  /** Looks again once a run has ended; while it goes on, its events say more. */
  private afterRun(file: string): void {
    if (this.coppice.recipes.of(file)) return;
    const document = this.open.find(({ uri }) => uri.fsPath === file);
    if (document) this.soon(document, 0);
  }

  private soon(document: vscode.TextDocument, wait = QUIET_MS): void {
    if (!isRecipe(document)) return;
    const file = document.uri.fsPath;
    clearTimeout(this.waiting.get(file));
    const look = (): void => {
      this.waiting.delete(file);
      if (!document.isClosed) void this.look(document);
    };
    this.waiting.set(file, setTimeout(look, wait));
  }

  private async look(document: vscode.TextDocument): Promise<void> {
    const file = document.uri.fsPath;
    this.looking.get(file)?.abort();
    const controller = new AbortController();
    this.looking.set(file, controller);
    const text = document.getText();
    const read = parseRecipe(text, file);
    const before = this.found.get(file);
    // Until the plan is there, what was known of the steps is better than nothing.
    const { plan, results = new Map<string, JsonObject>(), verdicts = [] } = read.recipe ? (before ?? {}) : {};
    this.tell(file, { text, read, results, verdicts, ...(plan && { plan }) });
    const { recipe } = read;
    if (!recipe || !vscode.workspace.isTrusted || this.coppice.recipes.of(file)) return;
    try {
      const known = await planOf(recipe, controller.signal);
      if (!controller.signal.aborted) this.tell(file, { text, read, results: new Map(), verdicts: [], ...known });
    } catch (error) {
      if (controller.signal.aborted || error instanceof CancelledError) return;
      if (!(error instanceof UserError)) this.coppice.log.error(`The plan of ${file} failed: ${messageOf(error)}`);
      const fault = error instanceof UserError ? capitalized(`${error.what}: ${error.why}.`) : messageOf(error);
      this.tell(file, { text, read, results: new Map(), verdicts: [], fault });
    }
  }

  private tell(file: string, status: RecipeStatus): void {
    this.found.set(file, status);
    this.changed.fire(file);
  }

  private forget(file: string): void {
    clearTimeout(this.waiting.get(file));
    this.looking.get(file)?.abort();
    for (const map of [this.waiting, this.looking, this.found]) map.delete(file);
    this.changed.fire(file);
  }
}

/** Nothing is read of the inputs of a recipe that has done nothing: they may be many gigabytes. */
async function planOf(
  recipe: Recipe,
  signal: AbortSignal,
): Promise<Partial<Pick<RecipeStatus, 'plan' | 'results' | 'verdicts'>>> {
  const session = await Session.open({ recipe });
  if (recipe.steps.every(({ name }) => session.state.finished(name) === undefined)) return {};
  const plan = await planSession(session, undefined, { signal });
  const results = new Map<string, JsonObject>();
  for (const { state, before } of plan.steps) {
    if (state === 'done' && before) results.set(before.name, await readResult(before));
  }
  return { plan, results, verdicts: verdictsOf(plan, results) };
}
