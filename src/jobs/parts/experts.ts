/** Scoring experts in parts: each sums over some rows. What the sums choose is measured and written later, from the gathered scores. */
import { EXPERT_CRITERIA } from '../../engine/importance/experts/criteria';
import { expertWork } from '../../engine/importance/experts/cut-work';
import { fillExperts } from '../../engine/importance/experts/score';
import { sumsIn } from '../../engine/importance/experts/sums';
import { requireArchitecture } from '../../engine/checkpoint/open';
import { withModel } from '../../engine/model/opened';
import { stepsOf } from '../../engine/model/view';
import { shareOf } from '../../engine/parts/split';
import { Table, TableFault } from '../../engine/parts/table';
import type { ExpertsResult } from '../results/experts';
import { modelOptions, secondsSince } from '../run';
import {
  expertsDetails,
  type ExpertsFacts,
  expertsMeasured,
  expertsSubject,
  rowsIn,
  rowsOf,
  scoredBlock,
  viewOfPlan,
} from '../runs/experts-subject';
import type { CutJob } from './cut';
import { expertsFault } from './faults';
import { filledOf } from './filled';
import { rowsWords, workWords } from './work-words';

/** What the sums mean, and what the result says besides. */
interface Frame {
  readonly facts: ExpertsFacts;
  /** Numbers of the blocks whose experts are scored. */
  readonly blocks: readonly number[];
  readonly seed: number;
  /** All rows. */
  readonly calibration: NonNullable<ExpertsResult['calibration']>;
}

export const cutExperts: CutJob<'experts'> = {
  fault: expertsFault,
  measure: async (options, context, part) => {
    const subject = await expertsSubject(options, context);
    const { checkpoint, plan, facts } = subject;
    const routed = await rowsOf(options.calibration!, options, checkpoint, context); // without it, there is a fault
    const view = viewOfPlan(subject);
    const shape = { rows: routed.rows.length, length: routed.length };
    const share = shareOf(expertWork(requireArchitecture(checkpoint), shape, stepsOf(view).length), part);
    const { from, to } = share.rows;
    const { filled, provider, scoringSeconds } = await withModel(
      checkpoint,
      modelOptions(options, context),
      async (model) => {
        const clock = performance.now();
        const found = await fillExperts(model, routed.rows.slice(from, to), share.rows, view, context.job);
        return { filled: found, provider: model.device.provider, scoringSeconds: secondsSince(clock) };
      },
    );
    const frame: Frame = {
      facts: { ...facts, model: { ...facts.model, path: '' } },
      blocks: plan.blocks.map(({ block }) => block),
      seed: options.seed,
      calibration: rowsIn(routed),
    };
    return {
      share,
      work: workWords(rowsWords(share.rows, shape.rows)),
      frame,
      data: filled,
      times: [scoringSeconds],
      path: checkpoint.path,
      run: expertsDetails(subject, options, { routed, provider }),
    };
  },
  finish: ({ frame: given, data, path, seconds, times, device }) => {
    const { facts, blocks, seed, calibration } = given as Frame; // of records with one identity, made by `measure`
    if (!EXPERT_CRITERIA.includes(facts.criterion)) throw new TableFault('the frame names no criterion');
    const sums = sumsIn(new Table(filledOf(data), calibration.rows), blocks, facts.experts.before);
    const { measured, warnings } = expertsMeasured(
      { ...facts, model: { ...facts.model, path } },
      {
        blocks: sums.map((each) => scoredBlock(each, { criterion: facts.criterion, seed })),
        ...{ calibration, text: null, provider: device?.provider },
        scoringSeconds: times.flat().reduce((sum, each) => sum + each, 0),
      },
    );
    return { result: { ...measured, out: null, seconds }, warnings };
  },
};
