/** New Recipe…: asks for a checkpoint and a goal, and opens a recipe that reaches it, with comments on every step. */
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import * as vscode from 'vscode';
import { summarize } from '../engine/checkpoint/summary';
import { messageOf } from '../engine/errors';
import type { ExportFormat } from '../engine/write/formats';
import { writeTextFile } from '../engine/system-failure';
import { numeric } from '../format/json';
import { formatBytes, formatFactor, formatPercent } from '../format/numbers';
import { type Chosen, chooseCheckpoint } from '../host/ask/choose-checkpoint';
import { showRecipe } from '../host/recipes/choose-recipe';
import type { Command, CommonArguments } from '../host/command';
import type { Coppice } from '../host/coppice';
import { inform, nextCommand } from '../host/inform';
import { vocabularyReport } from '../host/jobs/vocabulary-report';
import { ask, askAll, pick, type Step, when } from '../host/ask/steps';
import { limitFor, VOCABULARY_LIMITS } from '../format/vocabularies';
import { checkpointName } from '../jobs/titles';
import { parseBytes } from '../jobs/values';
import { draftRecipe } from '../recipes/init/draft';
import { type Goal, type RecipeWish, USUAL_GOAL } from '../recipes/init/wish';
import { RECIPE_SUFFIX } from '../recipes/recipe';

export interface NewRecipeArguments extends CommonArguments {
  readonly goal?: 'fewer' | 'fit' | 'faster';
  /** Of all files, for “fit”: "100MB". */
  readonly size?: string;
  /** For “faster”: 1.5. */
  readonly factor?: number;
  /** What ships; chosen by the model when undefined. */
  readonly format?: ExportFormat;
  readonly type?: string;
  /** Id of a recorded report on the vocabulary, which is trimmed first, with this least count. */
  readonly run?: string;
  readonly min?: number;
  /** The file. */
  readonly out?: string;
}

export const newRecipeCommand: Command<NewRecipeArguments> = {
  id: 'coppice.newRecipe',
  needsTrust: true,
  async run(coppice, args, settle) {
    const title = vscode.l10n.t('New Recipe');
    const chosen = await chooseCheckpoint(coppice, args, title);
    const answers = await askAll<NewRecipeArguments>(title, args, [goalStep, sizeStep(chosen), factorStep]);
    settle({ ...answers, checkpoint: chosen.path });
    const file = answers.out ?? freeName(chosen.path);
    const where = { location: vscode.ProgressLocation.Window, title };
    const wish: RecipeWish = {
      ...{ file, goal: goalOf(answers), application: coppice.config.application },
      ...{ format: answers.format, type: answers.type, trimmed: await trimmedOf(coppice, answers) },
    };
    const draft = await vscode.window.withProgress(where, () => draftRecipe(chosen.path, wish));
    const isAsked = args.throws !== true && args.out === undefined;
    if (isAsked && !(await wantsIt(title, draft.expectedBytes, chosen.checkpoint.size.all))) return undefined;
    await writeTextFile(file, draft.text);
    await showRecipe(file);
    const { removes, blocks, expectedBytes, warnings } = draft;
    const what =
      removes === 0
        ? vscode.l10n.t('It keeps all blocks; the files will have about {0}.', formatBytes(expectedBytes))
        : vscode.l10n.t(
            'It removes {0} of {1} blocks; the files will have about {2}.',
            removes,
            blocks,
            formatBytes(expectedBytes),
          );
    const run = nextCommand(vscode.l10n.t('Run Recipe'), 'coppice.runRecipe', { recipe: file });
    inform(args, [`${basename(file)}: ${what}`, ...warnings].join(' '), run);
    return file;
  },
};

/** What the report says of the least count, so that its texts need not be counted again. */
async function trimmedOf(
  coppice: Coppice,
  { run, min: wanted }: NewRecipeArguments,
): Promise<RecipeWish['trimmed'] | undefined> {
  if (run === undefined) return undefined;
  const { counted, digest } = await vocabularyReport(coppice, run);
  const { texts = [], application, heldOut, keep, keepLanguages, multiple } = counted;
  const min = wanted ?? digest.min;
  const row = digest.rows.find((each) => each.min === min);
  const growth = (row ?? digest.heldOut).growth ?? undefined;
  const bits = min === digest.min ? numeric(digest.heldOut.bits?.growth ?? 'NaN') : NaN;
  // The user has seen what it costs, so that the run may cost it.
  const limits = {
    ...(bits > VOCABULARY_LIMITS.bitsGrowth && { maxBitsGrowth: limitFor(bits) }),
    ...(growth !== undefined && growth > VOCABULARY_LIMITS.growth && { maxGrowth: limitFor(growth) }),
  };
  return {
    texts: application === undefined ? texts : [application],
    ...{ kept: row?.kept ?? digest.kept, size: digest.size, growth },
    options: { heldOut, min, keep, keepLanguages, multiple, ...limits },
  };
}

/** A recipe whose result is larger than the model is asked about before it is written. */
async function wantsIt(title: string, expected: number, now: number): Promise<boolean> {
  if (expected <= now) return true;
  const { t } = vscode.l10n;
  const question = t('What ships has about {0}, and the model has {1} now', formatBytes(expected), formatBytes(now));
  const choices = [
    { label: t('Write No Recipe'), detail: t('Ask for a size that the files are to fit into.'), value: false },
    { label: t('Write the Recipe'), detail: t('What ships is larger than the model.'), value: true },
  ];
  return pick({ title, step: 1 }, question, choices, false);
}

const USUAL_FACTOR = 1.5;

function goalOf({ goal, size, factor }: NewRecipeArguments): Goal {
  if (goal === 'fit' && size !== undefined) return { kind: 'fit', bytes: parseBytes(size) };
  if (goal === 'faster') return { kind: 'faster', factor: factor ?? USUAL_FACTOR };
  return USUAL_GOAL;
}

const goalStep: Step<NewRecipeArguments> = when(
  ({ goal }) => goal === undefined,
  async (_, place) => {
    const { t } = vscode.l10n;
    const share = USUAL_GOAL.kind === 'fewer' ? formatPercent(USUAL_GOAL.share) : '';
    const goal = await pick(place, t('Select what the model is to become'), [
      { label: t('Shorter'), description: t('{0} fewer blocks', share), value: 'fewer' as const },
      { label: t('Smaller'), description: t('its files fit into a size'), value: 'fit' as const },
      { label: t('Faster'), description: t('it writes faster by a factor'), value: 'faster' as const },
    ]);
    return { goal };
  },
);

const sizeStep = ({ checkpoint }: Chosen): Step<NewRecipeArguments> =>
  when(
    ({ goal, size }) => (goal === undefined ? undefined : goal === 'fit' && size === undefined),
    async (_, place) => {
      const { t } = vscode.l10n;
      const { bytes } = summarize(checkpoint);
      const prompt = t('Maximum size of the files. The model is {0} now.', formatBytes(bytes));
      const size = await ask(place, { prompt, value: `${Number((bytes / 2e6).toPrecision(3))}MB`, fault: sizeFault });
      return { size };
    },
  );

function sizeFault(text: string): string | undefined {
  try {
    parseBytes(text);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

const factorStep: Step<NewRecipeArguments> = when(
  ({ goal, factor }) => (goal === undefined ? undefined : goal === 'faster' && factor === undefined),
  async (_, place) => {
    const { t } = vscode.l10n;
    const factor = await ask(place, {
      prompt: t('Target speed-up for text generation, such as 1.3'),
      value: String(USUAL_FACTOR),
      fault: (text) => (Number(text) > 1 ? undefined : t('Enter a number above 1, such as 1.5.')),
      meaning: (text) => formatFactor(Number(text)),
    });
    return { factor: Number(factor) };
  },
);

/** A file beside the user's own ones that is not there yet: in the workspace, or beside the model. */
function freeName(checkpoint: string): string {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? dirname(checkpoint);
  const name = checkpointName(checkpoint);
  for (let at = 1; ; at++) {
    const file = join(folder, `${name}${at === 1 ? '' : `-${at}`}${RECIPE_SUFFIX}`);
    if (!existsSync(file)) return file;
  }
}
