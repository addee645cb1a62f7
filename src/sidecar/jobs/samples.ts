/** Several models continue the same prompts side by side. */
import { type Measured, writeSideBySide } from '../../engine/evaluate/samples';
import { UserError } from '../../engine/errors';
import { detailsOf } from '../../engine/runs/details';
import { modelInput, modelName, type RunInput } from '../../engine/runs/record';
import { encodePrompt } from '../../engine/tokenizer/prompt';
import { loadTokenizer, type Tokenizer } from '../../engine/tokenizer/tokenizer';
import { openModel, type Model } from '../../engine/transformer/model';
import { type Opened, openForComputing, removedJson } from '../../engine/transformer/opened';
import type { SamplesSpec, SampleText } from '../../protocol/samples';
import { type Job, type JobContext, modelOptions, secondsSince, wanted } from './job';
import { NEW_TOKENS, samplingSettings } from './settings';

interface Column {
  readonly label: string;
  readonly opened: Opened;
  readonly tokenizer: Tokenizer;
  readonly model: Model;
}

export const samples: Job<'samples', SamplesSpec> = async (spec, context) => {
  const { prompts, chat, maxNewTokens = NEW_TOKENS, ignoreEos = false } = spec;
  if (prompts.length === 0 || spec.columns.length === 0) {
    throw new UserError('Nothing to write', 'there is no prompt or no model', 'Choose at least one of each.');
  }
  const choice = samplingSettings(spec);
  const columns: Column[] = [];
  try {
    for (const column of spec.columns) columns.push(await openColumn(column, spec, context));
    const start = performance.now();
    const texts: SampleText[] = [];
    for (const [prompt, text] of prompts.entries()) {
      const options = { maxNewTokens, ...choice, ignoreEos };
      texts.push(...(await writePrompt(prompt, text, columns, options, chat, context)));
      if (context.job.signal?.aborted) break;
    }
    const seconds = secondsSince(start);
    const described = columns.map(({ label, opened }) => {
      return { label, model: modelName(opened.checkpoint), removed: removedJson(opened.removed) };
    });
    return {
      result: { samples: texts, columns: described, seconds },
      run: {
        ...detailsOf(columns[0].opened.checkpoint, spec, {
          settings: { prompts, chat: chat ?? false, maxNewTokens, ...choice, ignoreEos, columns: described },
          seed: 'seed' in choice ? choice.seed : undefined,
          device: columns[0].model.device,
        }),
        inputs: inputsOf(columns),
      },
    };
  } finally {
    for (const { model } of columns) await model.close();
  }
};

async function openColumn(
  column: SamplesSpec['columns'][number],
  spec: SamplesSpec,
  { hooks }: JobContext<'samples'>,
): Promise<Column> {
  const opened = await openForComputing(column.checkpoint, wanted(column));
  const tokenizer = await loadTokenizer(opened.checkpoint.folder);
  const model = await openModel(opened.checkpoint, { ...modelOptions(spec, hooks), adapter: opened.adapter });
  return { label: column.label, opened, tokenizer, model };
}

async function writePrompt(
  prompt: number,
  text: string,
  columns: readonly Column[],
  options: Parameters<typeof writeSideBySide>[1],
  chat: boolean | undefined,
  { job, emit }: JobContext<'samples'>,
): Promise<SampleText[]> {
  const asked = columns.map(({ tokenizer, model, opened }) => {
    return { model, view: opened.view, promptIds: encodePrompt(tokenizer, text, { chat }) };
  });
  const decoders = columns.map(({ tokenizer }) => tokenizer.streamDecoder());
  const say = (column: number, piece: string, ids: readonly number[], measured?: Measured): void =>
    emit({ type: 'text', prompt, column, text: piece, ids, ...(measured && { measured: timesOf(measured) }) });
  const onTokens = (column: number, ids: readonly number[], measured: Measured): void =>
    say(column, ids.map((id) => decoders[column].push(id)).join(''), ids, measured);
  const written = await writeSideBySide(asked, options, onTokens, job);
  for (const [column, decoder] of decoders.entries()) {
    const rest = decoder.end();
    if (rest !== '') say(column, rest, []);
  }
  return written.map(({ failure, ...generated }, column) => ({
    ...generated,
    ...(failure && { failure: `${failure.what}: ${failure.why}` }),
    prompt,
    column,
    text: columns[column].tokenizer.decode(generated.ids, { skipSpecialTokens: true }),
    promptTokens: asked[column].promptIds.length,
  }));
}

const timesOf = ({ timeToFirstToken, decodeTokensPerSecond }: Measured): Measured => ({
  timeToFirstToken,
  decodeTokensPerSecond,
});

/** Each checkpoint and adapter once. */
function inputsOf(columns: readonly Column[]): RunInput[] {
  const inputs = new Map<string, RunInput>();
  for (const { opened } of columns) {
    for (const input of [modelInput(opened.checkpoint), ...opened.inputs]) inputs.set(JSON.stringify(input), input);
  }
  return [...inputs.values()];
}
