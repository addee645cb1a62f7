/** Several models continue the same prompts side by side. */
import { type ColumnText, type Measured, writeSideBySide } from '../../engine/evaluate/samples';
import { UserError } from '../../engine/errors';
import { detailsOf } from '../../engine/records/details';
import { encodePrompt } from '../../engine/tokenizer/prompt';
import { loadTokenizer, type Tokenizer } from '../../engine/tokenizer/tokenizer';
import { openModel, type Model } from '../../engine/model/model';
import { type OpenedModel, openForComputing } from '../../engine/model/opened';
import { NEW_TOKENS, samplingOf } from '../../jobs/options/sampling';
import type { View } from '../../engine/model/view';
import type { SamplesSpec, SampleText } from '../../protocol/samples';
import { columnInfo, inputsOf, orUnable, type Unable, words } from './columns';
import { type Job, type JobContext, modelOptions, secondsSince, wanted } from './job';

/** A model that is ready to write. */
interface Column {
  readonly label: string;
  readonly opened: OpenedModel;
  readonly tokenizer: Tokenizer;
  readonly model: Model;
}

export const samples: Job<'samples', SamplesSpec> = async (spec, context) => {
  const { prompts, chat, maxNewTokens = NEW_TOKENS, ignoreEos = false } = spec;
  if (prompts.length === 0 || spec.columns.length === 0) {
    throw new UserError('Nothing to write', 'there is no prompt or no model', 'Choose at least one of each.');
  }
  const choice = samplingOf(spec);
  const columns: (Column | Unable)[] = [];
  try {
    for (const column of spec.columns) columns.push(await openColumn(column, spec, context));
    tellFailures(columns, context);
    const able = columns.filter((column) => 'model' in column);
    if (able.length === 0) throw columns.find((column) => 'failure' in column)!.failure;
    const start = performance.now();
    const texts: SampleText[] = [];
    for (const [prompt, text] of prompts.entries()) {
      const options = { maxNewTokens, ...choice, ignoreEos };
      texts.push(...(await writePrompt(prompt, text, columns, options, chat, context)));
      if (context.job.signal?.aborted) break;
    }
    const seconds = secondsSince(start);
    const described = columns.map((column, i) => columnInfo(column, spec.columns[i]));
    return {
      result: { samples: texts, columns: described, seconds },
      run: {
        ...detailsOf(able[0].opened.checkpoint, spec, {
          settings: { prompts, chat: chat ?? false, maxNewTokens, ...choice, ignoreEos, columns: described },
          seed: 'seed' in choice ? choice.seed : undefined,
          device: able[0].model.device,
          checkpoints: able.map(({ opened }) => opened.checkpoint),
        }),
        inputs: inputsOf(able),
      },
    };
  } finally {
    for (const column of columns) if ('model' in column) await column.model.close();
  }
};

async function openColumn(
  column: SamplesSpec['columns'][number],
  spec: SamplesSpec,
  { hooks, job }: JobContext<'samples'>,
): Promise<Column | Unable> {
  const { label } = column;
  return orUnable(label, async () => {
    const opened = await openForComputing(column.checkpoint, wanted(column));
    const tokenizer = await loadTokenizer(opened.checkpoint.folder, job);
    const model = await openModel(opened.checkpoint, { ...modelOptions(spec, hooks), adapter: opened.adapter });
    return { label, opened, tokenizer, model };
  });
}

/** Reports failed columns at once, so that the user does not wait for their texts. */
function tellFailures(columns: readonly (Column | Unable)[], { emit }: JobContext<'samples'>): void {
  for (const [column, each] of columns.entries()) {
    if ('failure' in each) emit({ type: 'text', prompt: 0, column, text: '', ids: [], failure: words(each.failure) });
  }
}

/** One text a column, in their order; of one that cannot write, why. */
async function writePrompt(
  prompt: number,
  text: string,
  columns: readonly (Column | Unable)[],
  options: Parameters<typeof writeSideBySide>[1],
  chat: boolean | undefined,
  { job, emit }: JobContext<'samples'>,
): Promise<SampleText[]> {
  const asked: (Writer | Unable)[] = [];
  for (const [at, column] of columns.entries()) asked.push(await writerOf(column, at, text, chat));
  const writers = asked.filter((each) => 'decoder' in each);
  const say = (column: number, piece: string, ids: readonly number[], measured?: Measured): void =>
    emit({ type: 'text', prompt, column, text: piece, ids, ...(measured && { measured: timesOf(measured) }) });
  const onTokens = async (at: number, ids: readonly number[], measured: Measured): Promise<void> => {
    const { column, decoder } = writers[at];
    say(column, await decoder.push(...ids), ids, measured);
  };
  const written = writers.length > 0 ? await writeSideBySide(writers, options, onTokens, job) : [];
  const texts: SampleText[] = [];
  for (const [column, each] of asked.entries()) {
    const whole = 'failure' in each ? each : await wholeText(each, written[writers.indexOf(each)], say);
    texts.push({ ...('label' in whole ? { ...NOTHING, failure: words(whole.failure) } : whole), prompt, column });
  }
  return texts;
}

/** Says the rest of what a column wrote, and gives all of it. */
async function wholeText(
  { column, label, decoder, tokenizer, promptIds }: Writer,
  { failure, ...generated }: ColumnText,
  say: (column: number, piece: string, ids: readonly number[]) => void,
): Promise<Omit<SampleText, 'prompt' | 'column'> | Unable> {
  return orUnable(label, async () => {
    const rest = await decoder.end();
    if (rest !== '') say(column, rest, []);
    const text = await tokenizer.decode(generated.ids, { skipSpecialTokens: true });
    return { ...generated, ...(failure && { failure: words(failure) }), text, promptTokens: promptIds.length };
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
}

async function writerOf(
  column: Column | Unable,
  at: number,
  text: string,
  chat: boolean | undefined,
): Promise<Writer | Unable> {
  if ('failure' in column) return column;
  const { label, tokenizer, model, opened } = column;
  return orUnable(label, async () => ({
    label,
    column: at,
    model,
    view: opened.view,
    tokenizer,
    decoder: tokenizer.streamDecoder(),
    promptIds: await encodePrompt(tokenizer, text, { chat }),
  }));
}

/** Of a column that wrote nothing. */
const NOTHING = {
  ids: [],
  text: '',
  promptTokens: 0,
  stopped: 'failed' as const,
  timeToFirstToken: NaN,
  prefillTokensPerSecond: NaN,
  decodeTokensPerSecond: NaN,
};

const timesOf = ({ timeToFirstToken, decodeTokensPerSecond }: Measured): Measured => ({
  timeToFirstToken,
  decodeTokensPerSecond,
});
