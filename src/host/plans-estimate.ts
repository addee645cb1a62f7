/** How long it takes to measure several plans on the same rows. */
import type { Architecture } from '../engine/checkpoint/architecture';
import { evaluationFlops } from '../engine/importance/estimate';
import type { CalibrationSource } from '../protocol/jobs';
import type { Coppice } from './coppice';
import { flopsEstimate } from './estimates';

/** "about 1:20". @param plans blocks that each leaves out; beside a plan, the whole model is measured too */
export function plansEstimate(
  coppice: Coppice,
  architecture: Architecture,
  { samples = 0, length = 0 }: CalibrationSource,
  plans: readonly (readonly number[])[],
): string {
  const rows = { rows: samples, length };
  const whole = evaluationFlops(architecture, rows);
  const flops = plans.map((removed) =>
    removed.length > 0 ? whole + evaluationFlops(architecture, rows, removed) : whole,
  );
  return flopsEstimate(
    coppice,
    flops.reduce((sum, each) => sum + each, 0),
    architecture,
    length,
    0,
  );
}
