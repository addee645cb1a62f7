/** Measures exported files themselves: the perplexity of a text, and how fast they write. */
import { openCheckpoint, requireArchitecture } from '../../engine/checkpoint/open';
import { perplexityOfRows } from '../../engine/evaluate/perplexity';
import { loadRows, type Rows } from '../../engine/evaluate/rows';
import type { ModelOptions } from '../../engine/model/model';
import { type OpenedModel, withModel } from '../../engine/model/opened';
import { fullView } from '../../engine/model/view';
import { UserError } from '../../engine/errors';
import { option, set } from '../../engine/option-token';
import { type JobOptions, Work } from '../../engine/progress';
import { openOnnxReader } from '../../engine/verify/onnx-reader';
import { kindsIn, onnxFile } from '../../engine/verify/verify-onnx';
import { FORMATS } from '../../engine/write/formats';
import { positionsOf } from '../../engine/write/onnx/positions';
import type { MeasuredKind } from '../results/export';
import { formatOf } from '../definitions/export';
import type { OptionsFor } from '../kinds';
import type { JobContext } from '../run';
import { type Exporting, writtenType } from './export-writers';

/** The windows of the text; undefined without one. */
export async function textOf(
  options: OptionsFor<'export'>,
  { checkpoint, architecture }: OpenedModel,
  { job, warn }: JobContext,
): Promise<Rows | undefined> {
  const { text, window, limit, share, bos } = options;
  if (text === undefined) return undefined;
  const rows = await loadRows({ from: 'text', file: text, window, limit, share, bos }, checkpoint, architecture, job);
  rows.warnings.forEach(warn);
  const room = formatOf(options) === 'onnx' ? positionsOf(architecture) : Infinity;
  const longest = Math.max(...rows.rows.map(({ length }) => length));
  // BOS before each window comes on top of its tokens.
  const ahead = rows.bos === 'window' ? 1 : 0;
  if (longest > room) {
    throw new UserError(
      `${option('window', longest - ahead)} is longer than the texts of this model in ONNX`,
      `they can have ${room} tokens`,
      `For this model ${set('window', room - ahead)}, or less.`,
    );
  }
  return rows;
}

interface Measuring {
  readonly text: Rows | undefined;
  readonly compute: ModelOptions;
}

/** Of each kind of an ONNX folder, and of the one type of the other formats. Nothing without a text. */
export async function measureExported(
  exporting: Exporting,
  path: string,
  { text, compute }: Measuring,
  job: JobOptions,
): Promise<MeasuredKind[]> {
  if (!text) return [];
  if (!FORMATS[exporting.format].isCheckpoint) {
    const room = positionsOf(exporting.opened.architecture);
    return measureOnnx(path, { rows: text.rows, room, threads: compute.threads }, job);
  }
  const written = await openCheckpoint(path);
  const whole = fullView(requireArchitecture(written).layers.length);
  const { ppl, meanNll, tokens } = await withModel(written, compute, (model) =>
    perplexityOfRows(model, text.rows, whole, job),
  );
  return [{ type: writtenType(exporting), perplexity: { ppl, meanNll, tokens } }];
}

/** Tokens before and during the measurement of speed, where a text can have them. */
const [PROMPT, WRITTEN] = [16, 32];

async function measureOnnx(
  folder: string,
  { rows, room, threads }: { readonly rows: Rows['rows']; readonly room: number; readonly threads?: number },
  job: JobOptions,
): Promise<MeasuredKind[]> {
  const kinds = await kindsIn(folder);
  const work = new Work(job, kinds.length * (rows.length + 1), 'windows', 'running the new files');
  const measured: MeasuredKind[] = [];
  for (const kind of kinds) {
    work.step(`running ${kind}`);
    const reader = await openOnnxReader(onnxFile(folder, kind), kind, threads);
    try {
      let [sum, tokens] = [0, 0];
      for (const row of rows) {
        const losses = await reader.losses(Array.from(row));
        sum += losses.reduce((a, b) => a + b, 0);
        tokens += losses.length;
        work.advance(1);
      }
      const prompt = Array.from(rows[0]).slice(0, PROMPT);
      const written = Math.min(WRITTEN, room - prompt.length - 1);
      const speed = written > 0 && { tokensPerSecond: await reader.decodeRate(prompt, written) };
      work.advance(1);
      const meanNll = sum / tokens;
      measured.push({ type: kind, perplexity: { ppl: Math.exp(meanNll), meanNll, tokens }, ...speed });
    } finally {
      await reader.close();
    }
  }
  return measured;
}
