/**
 * Questions in bundles. A model answers a bundle in runs of its own, always all of it, so an answer has the same bits
 * whatever else the process answers: in one run, in a part of one, or after it was stopped.
 *
 * Companions matter. Measured on the sample model and SmolLM2 (x86-64, 1 and 2 threads): the states of a question's tokens
 * have the same bits alone, beside others and padded (60 questions), and so have the logits of written answers with 1, 2, 3, 5 or
 * 8 texts side by side instead of 16 (1 090 tokens). But the head's have not: 44 of 302 log-probabilities differ in the last bits
 * with 2 rows in a run, 10 of 305 with 5, because onnxruntime takes the logarithms of sums some at a time and the last ones
 * otherwise. Other processors may do so elsewhere, so nothing of this is relied on.
 *
 * Bundles follow from texts alone: who answers one needs no tokens of the others. They are of one file, and of records whose
 * numbers are near each other, so that taking more records later leaves most of them as they are.
 */
import type { Architecture } from '../../checkpoint/architecture';
import { headWork } from '../../model/cost';
import { stepsOf, type View } from '../../model/view';
import type { ChoiceItem, Task, WrittenItem } from './item';

/** Questions with choices whose trees may share a run. */
export interface ChoiceBundle {
  readonly kind: 'choices';
  readonly task: Task;
  readonly items: readonly ChoiceItem[];
}

/** Questions whose answers are written side by side, with the same room. */
export interface WrittenBundle {
  readonly kind: 'written';
  readonly task: Task;
  readonly items: readonly WrittenItem[];
}

export type Bundle = ChoiceBundle | WrittenBundle;

/** Record numbers that bundles have in common: 0 to 511, 512 to 1023 … */
const WINDOW = 512;
/** Bundles of a window at least, so that a small file can be cut too, unless they would have less text than this. */
const PIECES = 8;
const LEAST_BYTES = 640;
/**
 * Text of a bundle at most. With SmolLM2's tokenizer and 1024 questions of each data set this fills runs with 180 to 440
 * tokens; a token of SmolLM2's blocks takes as long in runs of 192 as in runs of 640.
 */
const MOST_BYTES = 10_240;
/** Answers that are written side by side. */
export const TOGETHER = 16;

/** All bundles of some tasks, in a fixed order. */
export const bundlesOf = (tasks: readonly Task[]): Bundle[] =>
  tasks.flatMap((task): Bundle[] => [
    ...itemWindows(task.choiceItems).flatMap((items) =>
      choiceBundles(items).map((some) => ({ kind: 'choices' as const, task, items: some })),
    ),
    ...itemWindows(task.writtenItems).flatMap((items) =>
      writtenBundles(items).map((some) => ({ kind: 'written' as const, task, items: some })),
    ),
  ]);

function itemWindows<T extends { readonly item: number }>(items: readonly T[]): T[][] {
  const windows = new Map<number, T[]>();
  for (const item of items) {
    const window = Math.floor(item.item / WINDOW);
    const others = windows.get(window);
    if (others) others.push(item);
    else windows.set(window, [item]);
  }
  return [...windows.values()];
}

/** Neighbours in size, because trees of about the same size share runs. */
function choiceBundles(items: readonly ChoiceItem[]): ChoiceItem[][] {
  const sized = bySize(items, choiceBytes);
  const all = sized.reduce((sum, { bytes }) => sum + bytes, 0);
  const most = Math.min(MOST_BYTES, Math.max(LEAST_BYTES, all / PIECES));
  const bundles: ChoiceItem[][] = [];
  let sum = Infinity;
  for (const { item, bytes } of sized) {
    if (sum + bytes > most) {
      bundles.push([]);
      sum = 0;
    }
    bundles.at(-1)!.push(item);
    sum += bytes;
  }
  return bundles;
}

function writtenBundles(items: readonly WrittenItem[]): WrittenItem[][] {
  const bundles: WrittenItem[][] = [];
  for (const { item } of bySize(items, ({ prompt }) => Buffer.byteLength(prompt))) {
    const open = bundles.find((some) => some.length < TOGETHER && some[0].maxTokens === item.maxTokens);
    if (open) open.push(item);
    else bundles.push([item]);
  }
  return bundles;
}

/** The largest first. */
function bySize<T extends { readonly item: number }>(
  items: readonly T[],
  bytesOf: (item: T) => number,
): { readonly item: T; readonly bytes: number }[] {
  const sized = items.map((item) => ({ item, bytes: bytesOf(item) }));
  return sized.sort((a, b) => b.bytes - a.bytes || a.item.item - b.item.item);
}

/** Text that a tree has tokens of: contexts that are the same are there once. */
function choiceBytes({ choices }: ChoiceItem): number {
  const contexts = new Set(choices.map(({ context }) => context));
  return [...contexts].reduce((sum, context) => sum + Buffer.byteLength(context), 0) + scoredBytes({ choices });
}

const scoredBytes = ({ choices }: Pick<ChoiceItem, 'choices'>): number =>
  choices.reduce((sum, { continuation }) => sum + Buffer.byteLength(continuation), 0);

/** SmolLM2's tokenizer makes a token of 4.3 (BoolQ) to 7.8 (WinoGrande) bytes. */
const BYTES_PER_TOKEN = 5;

/**
 * What a bundle costs a model, in applications of a block to a token: an estimate from its texts, the same on every
 * machine. Written answers cost all tokens that they may have.
 */
export function bundleCost({ kind, items }: Bundle, architecture: Architecture, view: View): number {
  const [blocks, head] = [stepsOf(view).length, headWork(architecture)];
  if (kind === 'written') {
    return items.reduce((sum, { prompt, maxTokens }) => {
      const tokens = Buffer.byteLength(prompt) / BYTES_PER_TOKEN + maxTokens;
      return sum + tokens * blocks + maxTokens * head;
    }, 0);
  }
  return items.reduce(
    (sum, item) => sum + (choiceBytes(item) * blocks + scoredBytes(item) * head) / BYTES_PER_TOKEN,
    0,
  );
}
