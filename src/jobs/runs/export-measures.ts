/** Measures exported files themselves: the perplexity of a text, and how fast they write. */
import { openCheckpoint, requireArchitecture } from '../../engine/checkpoint/open';
import { perplexityOfRows } from '../../engine/evaluate/perplexity';
import { loadRows, type Rows } from '../../engine/evaluate/rows';
import type { ModelOptions } from '../../engine/model/model';
import { type OpenedModel, withModel } from '../../engine/model/opened';
import { fullView } from '../../engine/model/view';
import type { JobOptions } from '../../engine/progress';
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

export async function measureExported(
  exporting: Exporting,
  path: string,
  { text, compute }: Measuring,
  job: JobOptions,
): Promise<MeasuredKind[]> {
  if (!text) return [];
  const written = await openCheckpoint(path);
  const whole = fullView(requireArchitecture(written).layers.length);
  const { ppl, meanNll, tokens } = await withModel(written, compute, (model) =>
    perplexityOfRows(model, text.rows, whole, job),
  );
  return [{ type: writtenType(exporting), perplexity: { ppl, meanNll, tokens } }];
}
