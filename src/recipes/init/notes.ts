/** What is said of a new recipe when it is drafted: what it comes to, and what the user must know. */
import { resolve } from 'node:path';
import { type Application, leftOutWords, splitWords } from '../../engine/application/read';
import { requireArchitecture } from '../../engine/checkpoint/open';
import type { Checkpoint } from '../../engine/checkpoint/types';
import type { ExportFormat } from '../../engine/write/formats';
import { formatBytes, formatCount, formatFactor, formatPercent } from '../../format/numbers';
import { counted } from '../../format/words';
import { markedTime } from '../../estimates/words';
import { LEAST_STEPS } from '../../jobs/retrain-amounts';
import { type Chosen, isMuch } from './choose';
import { placeFrom } from './paper';
import type { Outline } from './steps';
import type { TextsNearby } from './texts';
import type { Timed } from './timed';
import type { Goal, RecipeWish, TrimmedWish } from './wish';

export interface Drafting {
  /** The model that steps work on. */
  readonly checkpoint: Checkpoint;
  /** The recipe's model: the same, unless its vocabulary is trimmed. */
  readonly model: Checkpoint;
  /** What the goal would take with all tokens; undefined if they stay, or if nothing reaches it. */
  readonly untrimmed: Chosen | undefined;
  readonly wish: RecipeWish;
  readonly goal: Goal;
  readonly format: ExportFormat;
  readonly chosen: Chosen;
  /** The folder of the recipe. */
  readonly home: string;
  readonly texts: FoundTexts;
  readonly outline: Outline;
  /** The application's text, if it is given. */
  readonly application: Application | undefined;
  /** The training that fits the time, if one is given. */
  readonly timed: Timed | undefined;
}

export interface FoundTexts extends TextsNearby {
  /** Whether the user named it. */
  readonly given: { readonly calibration: boolean; readonly text: boolean };
}

export const place = (home: string, path: string): string => placeFrom(home, resolve(path));

/** Blocks that a quick try removes at most. */
export const QUICK_COUNT = 2;

/** Where a text is expected that was not found. */
export const CALIBRATION = './data/calibration.txt';

export function notesOf({
  checkpoint,
  untrimmed,
  wish,
  home,
  goal,
  chosen,
  texts,
  outline,
  application,
  timed,
}: Drafting): string[] {
  const { removes, type, bytes } = chosen;
  const blocks = requireArchitecture(checkpoint).layers.length;
  const as = type === undefined ? 'in the types that it has' : `as ${type}`;
  const how =
    removes === 0
      ? `It fits ${as} with all its blocks, which costs less than removing some.`
      : `It loses ${removes} of ${counted(blocks, 'block')} and is written ${as}.`;
  const found = (['calibration', 'text'] as const).flatMap((which) => {
    const path = texts[which];
    return path === undefined || texts.given[which] ? [] : [`${FOUND[which]} ${place(home, path)}, which lies nearby.`];
  });
  return [
    ...(wish.trimmed ? [trimmedNote(wish.trimmed)] : []),
    how,
    ...(wish.trimmed ? [untrimmedNote(untrimmed, blocks)] : []),
    `The exported files will have about ${formatBytes(bytes)}${goal.kind === 'fit' ? ` of ${formatBytes(goal.bytes)}` : ''}.`,
    ...(removes > QUICK_COUNT ? [`With \`--quick\` they are larger: it removes ${QUICK_COUNT} blocks.`] : []),
    ...(application ? [`${application.name} has ${splitWords(application)}.`] : []),
    ...(timed
      ? [
          `It trains for ${counted(timed.steps, 'step')}: with choosing and healing ${markedTime(timed.time)} on this machine.`,
        ]
      : []),
    ...found,
    ...(outline.healable || removes === 0
      ? []
      : ['Its family cannot be healed in closed form, so the recipe trains it.']),
  ];
}

const trimmedNote = ({ kept, size, growth }: TrimmedWish): string => {
  const longer = growth === undefined ? '' : `, so text that was not counted has ${formatFactor(growth)} the tokens`;
  return `${formatCount(kept)} of ${formatCount(size)} tokens stay${longer}. The step says what that costs in bits per byte.`;
};

/** What blocks and bits alone would have to do. */
function untrimmedNote(untrimmed: Chosen | undefined, blocks: number): string {
  if (untrimmed === undefined) return 'With all tokens, no number of blocks and no type would do.';
  const { removes, type, bytes } = untrimmed;
  const as = type === undefined ? 'in the types that it has' : `as ${type}`;
  return `With all tokens it would lose ${removes} of ${counted(blocks, 'block')}, ${as}, and have about ${formatBytes(bytes)}.`;
}

const FOUND = { calibration: 'Blocks are scored on', text: 'Quality is measured on' } as const;

export function warningsOf({
  checkpoint,
  model,
  wish,
  chosen,
  texts,
  outline,
  application,
  timed,
}: Drafting): string[] {
  const blocks = requireArchitecture(checkpoint).layers.length;
  const found: string[] = [];
  const before = model.size.all;
  if (chosen.bytes > before) {
    found.push(
      `The exported files will be larger than the model: about ${formatBytes(chosen.bytes)}, and it has ` +
        `${formatBytes(before)} now. Ask for a size, another format, or another type.`,
    );
  }
  if (isMuch(blocks, chosen.removes)) {
    const share = formatPercent(chosen.removes / blocks);
    found.push(`${share} of the blocks are much: expect a model that needs training before it is of use.`);
  }
  if (!application && texts.calibration === undefined && (chosen.removes > 0 || !outline.hasText)) {
    found.push(
      `No text was found to score blocks on. Put one at ${CALIBRATION}, or change “calibration” in the recipe.`,
    );
  }
  if (application && application.leftOut.length > 0)
    found.push(`${application.name}: ${leftOutWords(application.leftOut)}.`);
  if (wish.minutes !== undefined && timed === undefined) {
    found.push('No block is removed, so nothing is trained, whatever the time.');
  }
  if (timed && timed.steps < LEAST_STEPS) {
    found.push(
      `The time is enough for ${counted(timed.steps, 'step')} of training. Fewer than ${LEAST_STEPS} change little: give more minutes.`,
    );
  }
  if (outline.split) {
    found.push(
      'There is one text: its first 70 % choose the blocks, and quality is measured on the rest. Another text says more.',
    );
  }
  return found;
}
