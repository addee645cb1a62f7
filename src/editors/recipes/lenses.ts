/** Lenses of a recipe: what can be done with the whole of it, and over each step its last result or how far it is. */
import * as vscode from 'vscode';
import type { Coppice } from '../../host/coppice';
import { RECIPE_SELECTOR } from '../../host/recipes/recipe-files';
import type { RunningRecipe } from '../../host/recipes/recipe-runs';
import { type StepFacts, stepWords } from '../../host/recipes/recipe-words';
import { isCutAlone } from '../../jobs/parts/part-record';
import type { StepPlace } from '../../recipes/read';
import type { RecipeDocuments, RecipeStatus } from './documents';
import { failureIn } from './recipe-problems';
import { brokenNames } from './verdicts';

/** Progress comes more often than anyone reads. */
const SHOW_MS = 300;

export function showRecipeLenses(
  { recipes, config }: Pick<Coppice, 'recipes' | 'config'>,
  documents: RecipeDocuments,
): vscode.Disposable {
  const changed = new vscode.EventEmitter<void>();
  let timer: NodeJS.Timeout | undefined;
  const soon = (): void => {
    timer ??= setTimeout(() => {
      timer = undefined;
      changed.fire();
    }, SHOW_MS);
  };
  const provider: vscode.CodeLensProvider = {
    onDidChangeCodeLenses: changed.event,
    provideCodeLenses(document) {
      const file = document.uri.fsPath;
      const status = documents.of(file);
      if (!vscode.workspace.isTrusted) return [restrictedLens()];
      if (!status) return [];
      const running = recipes.of(file);
      const top = running ? runningLenses(file, running) : restingLenses(file, status);
      const steps = status.read.places.flatMap((place) => {
        const words = stepWords(factsOf(status, place.name, running, recipes.last(file)));
        const job = status.read.recipe?.steps.find(({ name }) => name === place.name)?.job;
        const onCluster = config.hasCluster && job !== undefined && isCutAlone(job);
        return stepLenses(document, file, place, { busy: running !== undefined, onCluster, words });
      });
      return [...top, ...steps];
    },
  };
  return vscode.Disposable.from(
    changed,
    { dispose: () => clearTimeout(timer) },
    documents.onChange(() => changed.fire()),
    recipes.onChange(soon),
    config.onChange(['cluster'], () => changed.fire()),
    vscode.languages.registerCodeLensProvider(RECIPE_SELECTOR, provider),
  );
}

const TOP = new vscode.Range(0, 0, 0, 0);

const lens = (range: vscode.Range, title: string, command = '', argument?: object): vscode.CodeLens =>
  new vscode.CodeLens(range, { title, command, ...(argument && { arguments: [argument] }) });

function restrictedLens(): vscode.CodeLens {
  const title = vscode.l10n.t('Coppice runs nothing in Restricted Mode');
  return lens(TOP, `$(shield) ${title}`, 'workbench.trust.manage');
}

function restingLenses(recipe: string, { plan, fault }: RecipeStatus): vscode.CodeLens[] {
  const { t } = vscode.l10n;
  return [
    lens(TOP, `$(run-all) ${t('Run Recipe')}`, 'coppice.runRecipe', { recipe }),
    lens(TOP, `$(list-ordered) ${t('Plan')}`, 'coppice.planRecipe', { recipe }),
    ...(plan ? [lens(TOP, `$(graph) ${t('Report')}`, 'coppice.openRecipeReport', { recipe })] : []),
    ...(fault === undefined ? [] : [lens(TOP, `$(warning) ${fault}`)]),
  ];
}

function runningLenses(recipe: string, { at, of }: RunningRecipe): vscode.CodeLens[] {
  const { t } = vscode.l10n;
  const words = of === 0 ? t('Preparing…') : t('Step {0} of {1}', at, of);
  return [
    lens(TOP, `$(loading~spin) ${words}`),
    lens(TOP, `$(debug-stop) ${t('Cancel')}`, 'coppice.cancelRecipe', { recipe }),
  ];
}

function stepLenses(
  document: vscode.TextDocument,
  recipe: string,
  { name, offset }: StepPlace,
  { busy, onCluster, words }: { readonly busy: boolean; readonly onCluster: boolean; readonly words?: string },
): vscode.CodeLens[] {
  const start = document.positionAt(offset);
  const range = new vscode.Range(start, start);
  const argument = { recipe, step: name };
  const run = lens(range, `$(play) ${vscode.l10n.t('Run Step')}`, 'coppice.runRecipeStep', argument);
  const onItsCluster = lens(
    range,
    `$(server-process) ${vscode.l10n.t('Run on Cluster')}`,
    'coppice.runRecipeStepOnCluster',
    argument,
  );
  const runs = busy ? [] : [run, ...(onCluster ? [onItsCluster] : [])];
  return [...runs, ...(words === undefined ? [] : [lens(range, words)])];
}

function factsOf(
  { read, plan, results, verdicts }: RecipeStatus,
  name: string,
  running: RunningRecipe | undefined,
  last: ReturnType<Coppice['recipes']['last']>,
): StepFacts {
  const planned = (running?.plan ?? plan)?.steps.find(({ step }) => step.name === name);
  const result = results.get(name);
  const failure = running || !read.recipe ? undefined : failureIn(read.recipe, name, last);
  const broken = brokenNames(verdicts, name);
  return {
    ...(planned && { planned }),
    ...(result && { result }),
    ...(running?.step === name && { running: running.progress ?? null }),
    ...(failure !== undefined && { failure }),
    ...(broken !== undefined && { broken }),
  };
}
