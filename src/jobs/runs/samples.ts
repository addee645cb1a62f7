/** Several models continue the same prompts side by side. */
import type { BosChoice } from '../../format/bos';
import { beginningOf } from '../../engine/tokenizer/bos';
import { longestText } from '../../engine/checkpoint/architecture';
import { openCheckpoint } from '../../engine/checkpoint/open';
import { UserError } from '../../engine/errors';
import type { Draft } from '../../engine/evaluate/continuation';
import type { Speculated } from '../../engine/evaluate/speculation';
import { type ColumnText, type ColumnTimes, writeSideBySide } from '../../engine/evaluate/samples';
import { type Model, openModel } from '../../engine/model/model';
import type { OpenedModel } from '../../engine/model/opened';
import type { View } from '../../engine/model/view';
import { detailsOf } from '../../engine/records/details';
import { encodePrompt, type PromptOptions } from '../../engine/tokenizer/prompt';
import { loadTokenizer, type Tokenizer } from '../../engine/tokenizer/tokenizer';
import type { TextEvent } from '../../protocol/jobs';
import { counted } from '../../format/words';
import type { ChatTurn } from '../../protocol/jobs';
import type { SamplesResult, SampleText } from '../results/generate';
import type { LabelledModel } from '../option';
import type { OptionsFor } from '../kinds';
import { samplingOf } from '../options/sampling';
import { type JobContext, modelOptions, type RunEnd, secondsSince } from '../run';
import { columnInfo, inputsOf, openColumn, orUnable, requireAble, type Unable, withPrecision } from './columns';
import { type ChosenDraft, draftOf, draftSettings, draftUse, type WantedDraft } from './text-draft';

type Context = JobContext<TextEvent>;

/** A model that is ready to write. */
interface Column {
  readonly label: string;
  readonly opened: OpenedModel;
  readonly tokenizer: Tokenizer;
  readonly model: Model;
  readonly draft?: ChosenDraft & { readonly model: Model };
}

/** How columns compute and draft. */
type Computing = Parameters<typeof openColumn>[1] & WantedDraft;

export async function runSamples(options: OptionsFor<'samples'>, context: Context): Promise<RunEnd<SamplesResult>> {
  const { prompts, chat = false, system, bos, earlier, maxNewTokens, ignoreEos = false } = options;
  const choice = samplingOf(options);
  const columns: (Column | Unable)[] = [];
  try {
    const compute = await withPrecision(options, options.columns);
    const { precision } = compute;
    for (const column of options.columns) columns.push(await writingColumn(column, compute, context));
    tellFailures(columns, context);
    const able = requireAble(columns);
    const start = performance.now();
    const texts: SampleText[] = [];
    for (const [prompt, text] of prompts.entries()) {
      const writing = { maxNewTokens, ...choice, ignoreEos };
      const asking = { chat, system, bos, earlier, drafting: options };
      texts.push(...(await writePrompt(prompt, text, columns, writing, asking, context)));
      if (context.job.signal?.aborted) break; // the text written so far is the result
    }
    const seconds = secondsSince(start);
    const described = columns.map((column, i) => columnInfo(column, options.columns[i]));
    const details = detailsOf(able[0].opened.checkpoint, options, {
      settings: {
        ...{ prompts, chat, system, earlier, maxNewTokens, ...choice, ignoreEos, columns: described },
        ...draftSettings(able[0].draft, options),
      },
      seed: 'seed' in choice ? choice.seed : undefined,
      device: able[0].model.device,
      precision,
      checkpoints: able.slice(1).map(({ opened }) => opened.checkpoint),
    });
    return {
      result: { samples: texts, columns: described, precision, seconds },
      run: { ...details, inputs: [...inputsOf(able), ...(able[0].draft?.inputs ?? [])] },
    };
  } finally {
    for (const column of columns) if ('model' in column) await closed(column);
  }
}

const writingColumn = (column: LabelledModel, compute: Computing, context: Context): Promise<Column | Unable> =>
  orUnable(column.label, async () => {
    const tokenizer = await loadTokenizer((await openCheckpoint(column.checkpoint)).home, context.job);
    const open = { ...(await openColumn(column, compute, context)), tokenizer };
    try {
      return { ...open, ...(await withDraft(open, compute, context)) };
    } catch (error) {
      await open.model.close();
      throw error;
    }
  });

async function withDraft(
  { opened, model }: Column,
  compute: Computing,
  context: Context,
): Promise<Pick<Column, 'draft'>> {
  const chosen = await draftOf(opened, model.precision, compute);
  if (!chosen) return {};
  const { checkpoint, precision, changes } = chosen;
  const small = await openModel(checkpoint, { ...modelOptions(compute, context), precision, changes });
  return { draft: { ...chosen, model: small } };
}

async function closed({ model, draft }: Column): Promise<void> {
  await draft?.model.close();
  await model.close();
}

/** Reports failed columns at once, so that the user does not wait for their texts. */
function tellFailures(columns: readonly (Column | Unable)[], { emit }: Context): void {
  for (const [column, each] of columns.entries()) {
    if ('failure' in each) emit({ type: 'text', prompt: 0, column, text: '', ids: [], failure: told(each.failure) });
  }
}

/** One text per column, in order; for a failed column, the reason. */
async function writePrompt(
  prompt: number,
  text: string,
  columns: readonly (Column | Unable)[],
  options: Parameters<typeof writeSideBySide>[1],
  asking: Asking,
  { job, emit }: Context,
): Promise<SampleText[]> {
  const asked: (Writer | Unable)[] = [];
  for (const [at, column] of columns.entries()) asked.push(await writerOf(column, at, text, asking));
  const writers = asked.filter((each) => 'decoder' in each);
  const say = (column: number, piece: string, ids: readonly number[], measured?: TextEvent['measured']): void =>
    emit({ type: 'text', prompt, column, text: piece, ids, ...(measured && { measured }) });
  const onTokens = async (at: number, ids: readonly number[], times: ColumnTimes): Promise<void> => {
    const { column, decoder, draft } = writers[at];
    const { timeToFirstToken, decodeTokensPerSecond, speculated } = times;
    const measured = { timeToFirstToken, decodeTokensPerSecond, ...used(draft, asking.drafting, speculated) };
    say(column, await decoder.push(...ids), ids, measured);
  };
  const written = writers.length > 0 ? await writeSideBySide(writers, options, onTokens, job) : [];
  const texts: SampleText[] = [];
  for (const [column, each] of asked.entries()) {
    const whole = 'failure' in each ? each : await wholeText(each, written[writers.indexOf(each)], asking, say);
    texts.push({ ...('label' in whole ? { ...NOTHING, failure: told(whole.failure) } : whole), prompt, column });
  }
  return texts;
}

/** Sends the rest of a column's text, and returns the whole text. */
async function wholeText(
  { column, label, decoder, tokenizer, promptIds, draft }: Writer,
  { failure, speculated, ...generated }: ColumnText,
  { drafting }: Asking,
  say: (column: number, piece: string, ids: readonly number[]) => void,
): Promise<Omit<SampleText, 'prompt' | 'column'> | Unable> {
  return orUnable(label, async () => {
    const rest = await decoder.end();
    if (rest !== '') say(column, rest, []);
    const text = await tokenizer.decode(generated.ids, { skipSpecialTokens: true, after: promptIds });
    return {
      ...generated,
      ...(failure && { failure: told(failure) }),
      ...{ text, promptTokens: promptIds.length },
      ...used(draft, drafting, speculated),
    };
  });
}

/** A column with the prompt before it. */
interface Writer {
  readonly label: string;
  readonly column: number;
  readonly model: Model;
  readonly view: View;
  readonly promptIds: readonly number[];
  readonly tokenizer: Tokenizer;
  readonly decoder: ReturnType<Tokenizer['streamDecoder']>;
  readonly draft?: NonNullable<Column['draft']> & Draft;
}

async function writerOf(
  column: Column | Unable,
  at: number,
  text: string,
  { earlier, bos, drafting, ...asking }: Asking,
): Promise<Writer | Unable> {
  if ('failure' in column) return column;
  const { label, tokenizer, model, opened, draft } = column;
  return orUnable(label, async () => {
    const turns = earlier?.[at] ?? [];
    const { bosTokenId } = opened.architecture;
    const beginning = beginningOf(bos, { tokenizer, bosTokenId });
    const promptIds = await encodePrompt(tokenizer, text, { ...asking, beginning, earlier: turns });
    if (turns.length > 0) requireRoom(promptIds.length, longestText(opened.architecture));
    const decoder = tokenizer.streamDecoder({ skipSpecialTokens: true, after: promptIds });
    return {
      ...{ label, column: at, model, view: opened.view, tokenizer, decoder, promptIds },
      ...(draft && { draft: { ...draft, length: drafting.draftLength } }),
    };
  });
}

/** What comes before the prompt's own text. */
interface Asking extends Omit<PromptOptions, 'earlier' | 'beginning'> {
  /** For each column. */
  readonly earlier?: readonly (readonly ChatTurn[])[];
  readonly bos?: BosChoice;
  readonly drafting: WantedDraft;
}

/** A conversation that grew too long needs another way out than a prompt that is too long. */
function requireRoom(tokens: number, context: number): void {
  if (tokens < context) return;
  throw new UserError(
    'The conversation no longer fits into the model',
    `it has ${counted(tokens, 'token')}, the model's context is ${context}`,
    'Write less, or start a new chat.',
  );
}

/** Why a column has no text, and what to do. Names of options are tokens, which the face that shows it renders. */
const told = ({ what, why, action }: UserError): string => `${what}: ${why}. ${action}`;

/** The result of a column without text. */
const NOTHING = {
  ids: [],
  text: '',
  promptTokens: 0,
  stopped: 'failed' as const,
  timeToFirstToken: NaN,
  prefillTokensPerSecond: NaN,
  decodeTokensPerSecond: NaN,
};

const used = (
  draft: ChosenDraft | undefined,
  wanted: WantedDraft,
  speculated: Speculated | undefined,
): Pick<SampleText, 'draft'> => (draft && speculated ? { draft: draftUse(draft, wanted, speculated) } : {});
