/** Measures models over a grid of batches and lengths. */
import { beginningOf } from '../../engine/tokenizer/bos';
import { availableParallelism, cpus, loadavg, platform, release } from 'node:os';
import { version } from '../../../package.json';
import { csvOf, writeTables } from '../../engine/evaluate/grid/csv';
import { threadsOf } from '../../engine/evaluate/grid/figures';
import {
  ascending,
  PAPER,
  PAPER_PROMPT,
  PAPER_PROMPT_TOKENS,
  PAPER_SAMPLING,
  type Protocol,
} from '../../engine/evaluate/grid/protocol';
import { type GridMeasurement, runGrid, type Subject } from '../../engine/evaluate/grid/run-grid';
import { driftOf, hasDrifted, isNoisy } from '../../engine/evaluate/grid/statistics';
import { sizeOfView } from '../../engine/evaluate/measure';
import { promptOf } from '../../engine/evaluate/measure-turns';
import { readPrompts } from '../../engine/evaluate/prompts-file';
import type { Model } from '../../engine/model/model';
import type { OpenedModel } from '../../engine/model/opened';
import { onnxruntimeVersion } from '../../engine/onnx/session';
import { detailsOf, fileInput } from '../../engine/records/details';
import type { RunInput } from '../../engine/records/record';
import { optionalTokenizer } from '../../engine/tokenizer/optional';
import { encodePrompt } from '../../engine/tokenizer/prompt';
import { loadTokenizer } from '../../engine/tokenizer/tokenizer';
import { counted } from '../../format/words';
import type { GridEnvironment, GridModel, GridResult } from '../results/grid';
import type { OptionsFor } from '../kinds';
import { columnsOf } from '../options/models';
import { type JobContext, type RunEnd, secondsSince } from '../run';
import { columnInfo, inputsOf, openColumn, orUnable, requireAble, type Unable, withPrecision, words } from './columns';

type Options = OptionsFor<'grid'>;

interface Opening extends Subject {
  readonly opened: OpenedModel;
}

/** What the texts begin with. */
interface Prompts {
  /** In words, for pages and records. */
  readonly described: string;
  readonly texts?: readonly string[];
  readonly input?: RunInput;
}

export async function runGridJob(options: Options, context: JobContext): Promise<RunEnd<GridResult>> {
  const start = performance.now();
  const asked = columnsOf(options);
  const protocol = protocolOf(options);
  const prompts = await promptsOf(options);
  const loadBefore = loadOf();
  warnOfLoad(loadBefore, context);
  const columns: (Opening | Unable)[] = [];
  try {
    const compute = await withPrecision(options, asked);
    const { precision } = compute;
    for (const column of asked) {
      columns.push(
        await orUnable(column.label, async () => {
          const { opened, model } = await openColumn(column, compute, context);
          const label = column.label;
          return { label, opened, model, view: opened.view, prompts: await idsOf(prompts, options, model, context) };
        }),
      );
    }
    const able = requireAble(columns);
    const { greedy, seed, limitMemory } = options;
    const choice = { ...PAPER_SAMPLING, seed: greedy ? undefined : seed };
    const measured = await runGrid(able, { ...protocol, ...choice, limit: limitMemory }, context.job);
    const models = columns.map((column, i): GridModel => {
      const info = columnInfo(column, asked[i]);
      if ('failure' in column) return { ...info, cells: [], failure: words(column.failure) };
      const { cells, blocks, ideal, promptTokens } = measured.models[able.indexOf(column)];
      return { ...info, ...sizeOfView(column.opened.checkpoint, column.view), blocks, ideal, promptTokens, cells };
    });
    warnOfNoise(measured, able, context);
    const { model } = able[0];
    const result: GridResult = {
      ...protocol,
      prompt: prompts.described,
      models,
      rates: measured.rates,
      limitBytes: measured.limit,
      inTurns: measured.inTurns,
      environment: { ...environmentOf(model), loadBefore },
      seconds: secondsSince(start),
      device: model.device.provider,
      precision: model.precision,
    };
    if (options.csv !== undefined)
      await writeTables(
        options.csv,
        models.map((each) => csvOf(each, result)),
      );
    const sampling = greedy ? { greedy: true } : { ...PAPER_SAMPLING };
    const details = detailsOf(able[0].opened.checkpoint, options, {
      settings: { ...protocol, prompt: prompts.described, ...sampling, limitMemory: limitMemory ?? null },
      seed: choice.seed,
      device: model.device,
      precision,
      checkpoints: able.slice(1).map(({ opened }) => opened.checkpoint),
    });
    return { result, run: { ...details, inputs: [...inputsOf(able), ...(prompts.input ? [prompts.input] : [])] } };
  } finally {
    for (const column of columns) if ('model' in column) await column.model.close();
  }
}

function protocolOf({ paper, batch, newTokens, runs, warmup }: Options): Protocol {
  return paper ? PAPER : { batches: ascending(batch), newTokens: ascending(newTokens), runs, warmup };
}

async function promptsOf({ prompt, promptTokens, prompts }: Options): Promise<Prompts> {
  if (promptTokens !== undefined) return { described: counted(promptTokens, 'random token') };
  if (prompts === undefined) return { described: prompt ?? PAPER_PROMPT, texts: [prompt ?? PAPER_PROMPT] };
  const { texts, sha256 } = await readPrompts(prompts);
  const input = fileInput('prompts', prompts, sha256);
  return { described: `${counted(texts.length, 'prompt')} of ${input.name}`, texts, input };
}

/** Token ids with the model's own tokenizer. Without one, speed needs no text: random tokens do. */
async function idsOf(
  { texts }: Prompts,
  { prompt, prompts, promptTokens, seed, bos }: Options,
  model: Model,
  { job }: JobContext,
): Promise<number[][]> {
  const { home: place } = model.checkpoint;
  const needed = prompt !== undefined || prompts !== undefined;
  const tokenizer = texts && (await (needed ? loadTokenizer(place, job) : optionalTokenizer(place, job)));
  if (!tokenizer) return [promptOf(model, promptTokens ?? PAPER_PROMPT_TOKENS, seed)];
  const beginning = beginningOf(bos, { tokenizer, bosTokenId: model.architecture.bosTokenId });
  const ids: number[][] = [];
  for (const each of texts) ids.push(await encodePrompt(tokenizer, each, { beginning }));
  return ids;
}

function environmentOf(model: Model): Omit<GridEnvironment, 'loadBefore'> {
  return {
    processor: cpus()[0]?.model.trim() ?? '',
    threads: threadsOf(model),
    dtype: model.precision,
    attention: 'GroupQueryAttention',
    cache: 'grows by 64 positions',
    coppice: version,
    onnxruntime: onnxruntimeVersion(),
    node: process.versions.node,
    system: `${platform()} ${release()}`,
  };
}

/** Windows tells none. */
function loadOf(): number | null {
  return platform() === 'win32' ? null : loadavg()[0];
}

/** From this share of the processors on, other programs disturb. */
const BUSY = 0.5;

function warnOfLoad(load: number | null, { warn }: JobContext): void {
  if (load === null || load < BUSY * availableParallelism()) return;
  warn(`other programs keep this machine busy (load ${load.toFixed(1)}): the speeds are lower than they could be`);
}

function warnOfNoise(
  { models, rates, inTurns, comparable }: GridMeasurement,
  able: readonly Subject[],
  { warn }: JobContext,
): void {
  const { before, after } = rates;
  if (hasDrifted(before.flopsPerSecond, after.flopsPerSecond)) {
    const percent = Math.round(100 * driftOf(before.flopsPerSecond, after.flopsPerSecond));
    warn(`the machine's rate of products changed by ${percent} % meanwhile: it is shared or throttled`);
  }
  if (!inTurns) warn('the models do not fit into memory together, so they were measured one after another');
  if (!comparable) warn('so no speed-ups are given');
  for (const [i, { cells }] of models.entries()) {
    const noisy = cells.filter(({ measured }) => measured && isNoisy(measured.times));
    if (noisy.length === 0) continue;
    const names = noisy.map(({ batch, newTokens }) => `${batch} × ${newTokens}`).join(', ');
    warn(`the runs of ${able[i].label} differ too much for a mean to say much (${names} tokens)`);
  }
}
