/** One model's answers to the questions of some tasks. */
import { modelName } from '../../records/record';
import type { ChoiceItemResult, ItemResult, WrittenItemResult } from './results';
import { UserError } from '../../errors';
import { type JobOptions, partName, Work } from '../../progress';
import type { Model } from '../../model/model';
import type { View } from '../../model/view';
import { type Beginning, encodeText } from '../../tokenizer/bos';
import type { Tokenizer } from '../../tokenizer/tokenizer';
import type { BatchText } from '../batch';
import { writePrompts } from '../write-prompts';
import { type Bundle, type ChoiceBundle, TOGETHER, type WrittenBundle } from './bundles';
import { judgedText } from './correct';
import { encodeItem, type EncodeSettings } from './encode';
import { type ChoiceItem, type Task } from './item';
import { groupsOf, type Question, questionOf, questionsWork, scoreQuestions } from './score';

export interface AnswerOptions {
  readonly view: View;
  /** How every question begins. */
  readonly beginning: Beginning;
  /** Answers that are known already. */
  readonly known?: (task: Task, item: number) => ItemResult | undefined;
  /** Awaited with new answers, some at a time. */
  readonly onAnswers?: (task: Task, results: readonly ItemResult[]) => Promise<void>;
}

/** Answers by task and by the item's number. */
export type Answers = ReadonlyMap<Task, ReadonlyMap<number, ItemResult>>;

/** A question of a task, ready for the model. */
interface Asked extends Question {
  readonly item: ChoiceItem;
}

/**
 * Answers the questions of some bundles. One with an unknown answer is computed as a whole: then its answers have the bits
 * that they have in every other run.
 * @throws UserError when a question cannot be asked, or a likelihood is not finite; CancelledError
 */
export async function answerBundles(
  model: Model,
  tokenizer: Tokenizer,
  bundles: readonly Bundle[],
  options: AnswerOptions,
  job: JobOptions = {},
): Promise<Answers> {
  const found = new Map(bundles.map(({ task }) => [task, new Map<number, ItemResult>()]));
  for (const { task, items } of bundles) {
    for (const { item } of items) {
      const known = options.known?.(task, item);
      if (known) found.get(task)!.set(item, known);
    }
  }
  const keep: Keep = async (task, results) => {
    const fresh = results.filter(({ item }) => !found.get(task)!.has(item));
    for (const result of fresh) found.get(task)!.set(result.item, result);
    await options.onAnswers?.(task, fresh);
  };
  const open = bundles.filter(({ task, items }) => items.some(({ item }) => !found.get(task)!.has(item)));
  const choices = open.flatMap((bundle) => (bundle.kind === 'choices' ? bundle : []));
  const written = open.flatMap((bundle) => (bundle.kind === 'written' ? bundle : []));
  if (choices.length > 0) await answerChoices(model, tokenizer, choices, options, keep, job);
  if (written.length > 0) await answerWritten(model, tokenizer, written, options, keep, job);
  return found;
}

type Keep = (task: Task, results: readonly ItemResult[]) => Promise<void>;

async function answerChoices(
  model: Model,
  tokenizer: Tokenizer,
  bundles: readonly ChoiceBundle[],
  { view, beginning }: AnswerOptions,
  keep: Keep,
  job: JobOptions,
): Promise<void> {
  const taskOf = new Map<readonly Asked[], Task>();
  const settings = encodeSettings(model, beginning);
  const questions = bundles.reduce((sum, { items }) => sum + items.length, 0);
  const reading = new Work(job, questions, 'items', 'reading questions as tokens');
  for (const { task, items } of bundles) {
    const asked: Asked[] = [];
    for (const item of items) {
      asked.push({ ...questionOf(await encodeItem(tokenizer, item, settings), model.architecture), item });
      reading.advance(1);
    }
    taskOf.set(asked, task);
  }
  const all = [...taskOf.keys()];
  const groups = groupsOf(all, model);
  const work = new Work(job, questionsWork(all, model, view), 'token-blocks', 'answering');
  for (const [g, group] of groups.entries()) {
    const scores = await scoreQuestions(model, view, group, work, partName(g, groups.length));
    const results = new Map<Task, ChoiceItemResult[]>();
    for (const [b, asked] of group.entries()) {
      const task = taskOf.get(asked)!;
      const own = asked.map(({ item, rows }, q): ChoiceItemResult => {
        const choices = rows.map(({ targets }, c) => {
          const { loglik, greedy } = scores[b][q][c];
          if (!Number.isFinite(loglik)) throw notFinite(model, item, loglik);
          return { loglik, tokens: targets.length, characters: item.choices[c].characters, greedy };
        });
        return { item: item.item, gold: item.gold, choices };
      });
      results.set(task, [...(results.get(task) ?? []), ...own]);
    }
    for (const [task, own] of results) await keep(task, own);
  }
}

function encodeSettings({ architecture }: Model, beginning: Beginning): EncodeSettings {
  const { context, bosTokenId, eosTokenIds } = architecture;
  return { maxLength: context, beginning, start: bosTokenId ?? eosTokenIds.at(0) };
}

const notFinite = ({ checkpoint }: Model, { item }: ChoiceItem, loglik: number): UserError =>
  new UserError(
    `The answers of ${modelName(checkpoint)} cannot be scored`,
    `the log-likelihood of item ${item} is ${loglik}: some weights are broken, or their products overflow`,
    'Measure the perplexity of a text: the error names the block after which the numbers break.',
  );

async function answerWritten(
  model: Model,
  tokenizer: Tokenizer,
  bundles: readonly WrittenBundle[],
  { view, beginning }: AnswerOptions,
  keep: Keep,
  job: JobOptions,
): Promise<void> {
  const questions = bundles.reduce((sum, { items }) => sum + items.length, 0);
  const work = new Work(job, questions, 'items', 'writing answers');
  // Texts that may have the same length are written with one decoder.
  for (const maxNewTokens of new Set(bundles.map(({ items }) => items[0].maxTokens))) {
    const same = bundles.filter(({ items }) => items[0].maxTokens === maxNewTokens);
    const asked = same.flatMap(({ task, items }) => items.map((item) => ({ task, item })));
    const prompts: number[][] = [];
    for (const { item } of asked) prompts.push(await encodeText(tokenizer, item.prompt, beginning));
    const answer = async (which: readonly number[], texts: readonly BatchText[]) => {
      const results: WrittenItemResult[] = [];
      const [{ task }] = which.map((at) => asked[at]); // of one bundle, so of one task
      for (const [i, at] of which.entries()) {
        const { item } = asked[at];
        const { ids, stopped } = texts[i];
        const text = await tokenizer.decode(ids, { skipSpecialTokens: true, after: prompts[at] });
        results.push({
          item: item.item,
          text,
          ...judgedText(item, { text, ids, ended: stopped === 'eos' }, task.file),
        });
      }
      await keep(task, results);
      work.advance(results.length);
    };
    let at = 0;
    const indices = same.map(({ items }) => items.map(() => at++));
    const writing = { maxNewTokens, greedy: true, view, together: TOGETHER, bundles: indices };
    await writePrompts(model, prompts, writing, answer, { signal: job.signal });
  }
}
