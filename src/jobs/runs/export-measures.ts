/** Measures exported files themselves: the perplexity of a text, and how fast they write. */
import { openCheckpoint, requireArchitecture } from '../../engine/checkpoint/open';
import { perplexityOfRows } from '../../engine/evaluate/perplexity';
import { loadRows, type Rows } from '../../engine/evaluate/rows';
import type { ModelOptions } from '../../engine/model/model';
import { type OpenedModel, withModel } from '../../engine/model/opened';
import { fullView } from '../../engine/model/view';
import { type JobOptions, Work } from '../../engine/progress';
import { openOnnxReader } from '../../engine/verify/onnx-reader';
import { kindsIn, onnxFile } from '../../engine/verify/verify-onnx';
import type { MeasuredKind } from '../../protocol/export';
import type { OptionsFor } from '../kinds';
import type { JobContext } from '../run';
import { type Exporting, writtenType } from './export-writers';

/** The windows of the text; undefined without one. */
export async function textOf(
  { text, window, limit }: OptionsFor<'export'>,
  { checkpoint, architecture }: OpenedModel,
  { job, warn }: JobContext,
): Promise<Rows | undefined> {
  if (text === undefined) return undefined;
  const rows = await loadRows({ from: 'text', file: text, window, limit }, checkpoint, architecture, job);
  rows.warnings.forEach(warn);
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
  if (exporting.format === 'onnx') return measureOnnx(path, text.rows, compute, job);
  const written = await openCheckpoint(path);
  const whole = fullView(requireArchitecture(written).layers.length);
  const { ppl, meanNll, tokens } = await withModel(written, compute, (model) =>
    perplexityOfRows(model, text.rows, whole, job),
  );
  return [{ type: writtenType(exporting), perplexity: { ppl, meanNll, tokens } }];
}

/** Tokens before and during the measurement of speed. */
const [PROMPT, WRITTEN] = [16, 32];

async function measureOnnx(
  folder: string,
  rows: Rows['rows'],
  { threads }: ModelOptions,
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
      const tokensPerSecond = await reader.decodeRate(Array.from(rows[0]).slice(0, PROMPT), WRITTEN);
      work.advance(1);
      const meanNll = sum / tokens;
      measured.push({ type: kind, perplexity: { ppl: Math.exp(meanNll), meanNll, tokens }, tokensPerSecond });
    } finally {
      await reader.close();
    }
  }
  return measured;
}
