/**
 * Chooses the width of a model: which heads and neurons of every block stay. The model is measured once, and each ratio
 * or size is a choice after that (Wanda-sp, whose measurements depend on the choice, runs the model for each).
 */
import type { Architecture } from '../../checkpoint/architecture';
import { requirePlainBlocks } from '../../checkpoint/kinds/parts';
import { plainShape } from '../../checkpoint/kinds/plain';
import { parametersOf } from '../../checkpoint/parameters';
import { narrowArchitecture, type Width } from '../../checkpoint/width';
import type { TokenRows } from '../../model/forward';
import type { Model } from '../../model/model';
import { inPhases, type JobOptions } from '../../progress';
import { measureFlap } from './flap';
import { llmPrunerCounts, measureLlmPruner } from './llm-pruner';
import type { Measured } from './measured';
import type { WidthAmount, WidthRequest } from './methods';
import { parametersAt, ratioOfSize } from './size';
import { countsOf, type UnitScores } from './units';
import { measureWandaSp, wandaSpCounts } from './wanda-sp';
import { keptWarnings, sizeWarnings } from './warnings';

export interface WidthChoice {
  readonly width: Width;
  /** As the method means it: a share of the units of a block, or of all of the model's units by weight. */
  readonly ratio: number;
  readonly parametersBefore: number;
  readonly parametersAfter: number;
  /** Of the units of every block; of a ratio's own for Wanda-sp. */
  readonly scores: readonly UnitScores[];
  /** The score above which FLAP keeps units; undefined for other methods. */
  readonly threshold?: number;
  readonly warnings: readonly string[];
}

export interface MeasuredWidth {
  /**
   * @throws OptionError for a size that the method cannot reach; UserError if numbers are not finite; CancelledError
   */
  readonly select: (amount: WidthAmount, job?: JobOptions) => Promise<WidthChoice>;
}

/**
 * Measures a whole model on calibration rows.
 * @param rows all of one length; LLM-Pruner does not read them for saliences that need no text
 * @throws OptionError for blocks that the model does not have; UserError for an adapter on top where gradients are
 * needed, or if numbers are not finite; CancelledError
 */
export async function measureWidth(
  model: Model,
  rows: TokenRows,
  request: WidthRequest,
  job: JobOptions = {},
): Promise<MeasuredWidth> {
  const { architecture } = model;
  requirePlainBlocks(architecture, 'Cannot prune the width of this model', 'Remove whole blocks.');
  const measured = await measureBy(model, rows, request, job);
  return { select: (amount, part = {}) => select(architecture, measured, request, amount, part) };
}

/**
 * Refuses an amount that no choice of the method could have, before it measures. FLAP's sizes follow from its scores, so
 * only its `select` knows them.
 * @throws OptionError
 */
export function requireReachable(architecture: Architecture, request: WidthRequest, amount: WidthAmount): void {
  requirePlainBlocks(architecture, 'Cannot prune the width of this model', 'Remove whole blocks.');
  if (!('parameters' in amount) || request.method === 'flap') return;
  const layers = architecture.layers.map(plainShape);
  const counts = request.method === 'llm-pruner' ? llmPrunerCounts(layers, request) : wandaSpCounts(layers, request);
  ratioOfSize(amount.parameters, parametersAt(architecture, { counts }), parametersOf(architecture));
}

function measureBy(model: Model, rows: TokenRows, request: WidthRequest, job: JobOptions): Promise<Measured> {
  switch (request.method) {
    case 'llm-pruner':
      return measureLlmPruner(model, rows, request, job);
    case 'flap':
      return measureFlap(model, rows, request, job);
    case 'wanda-sp':
      return Promise.resolve(measureWandaSp(model, rows, request));
  }
}

async function select(
  architecture: Architecture,
  measured: Measured,
  { multiple }: WidthRequest,
  amount: WidthAmount,
  job: JobOptions,
): Promise<WidthChoice> {
  const parametersBefore = parametersOf(architecture);
  const ratio =
    'ratio' in amount
      ? amount.ratio
      : ratioOfSize(amount.parameters, parametersAt(architecture, measured), parametersBefore);
  const [choosing, compensating] = inPhases(job, [{ share: 4 }, { share: 1 }]);
  const { layers, warnings, scores, threshold } = await measured.choose(ratio, choosing);
  const biases = await measured.biases?.(layers, compensating);
  const width: Width = { layers, ...(biases && { biases }) };
  const parametersAfter = parametersOf(narrowArchitecture(architecture, width));
  return {
    width,
    ratio,
    parametersBefore,
    parametersAfter,
    scores,
    ...(threshold !== undefined && { threshold }),
    warnings: [
      ...warnings,
      ...('parameters' in amount ? sizeWarnings(amount.parameters, parametersAfter) : []),
      ...keptWarnings({ architecture, counts: countsOf(layers), multiple }, measured),
    ],
  };
}
