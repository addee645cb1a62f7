/** Writes the model with fewer experts, if that is asked for. */
import type { KeptExperts } from '../../engine/checkpoint/kept-experts';
import type { Checkpoint } from '../../engine/checkpoint/types';
import { calibrationsOf } from '../../engine/records/calibrations';
import type { RunDetails } from '../../engine/records/details';
import { newRecord } from '../../engine/records/record';
import { inheritedFields } from '../../engine/write/card';
import { writeFewerExperts } from '../../engine/write/experts';
import { expertsCard } from '../../engine/write/experts-card';
import type { ExpertsResult } from '../results/experts';
import type { JobContext } from '../run';
import { factorsOf } from './experts-rescaled';
import type { ExpertPlan } from '../../engine/importance/experts/plan';

export interface Writing {
  readonly checkpoint: Checkpoint;
  readonly plan: ExpertPlan;
  readonly kept: KeptExperts;
  readonly facts: Omit<ExpertsResult, 'out' | 'seconds'>;
  readonly details: RunDetails;
  /** Name of the text that was routed. */
  readonly text: string | undefined;
  readonly out: string | undefined;
}

export async function writeExperts(
  { checkpoint, plan, kept, facts, details, text, out }: Writing,
  { job, started, note }: JobContext,
): Promise<Pick<ExpertsResult, 'out' | 'bytesAfter' | 'leftBehind'>> {
  if (out === undefined) return { out: null };
  const inherited = await inheritedFields(checkpoint);
  const used = await calibrationsOf(checkpoint);
  const { settings } = details;
  const { before, after, parameters, parametersBefore, experts, criterion, rescale } = facts;
  const factors = factorsOf(rescale);
  const loss = before &&
    after &&
    facts.text && { text: facts.text.name, before: Number(before.meanNll), after: Number(after.meanNll) };
  const card = (): string =>
    expertsCard(checkpoint, {
      ...{ criterion, kept, removed: plan.removed, experts, settings, inherited, text },
      parameters: { before: parametersBefore, after: parameters },
      ...(factors && { rescaled: rescale!.heldOut }),
      ...(loss && { loss }),
    });
  const finished = new Date(); // of the plan: the record is part of what is written
  const written = await writeFewerExperts(
    checkpoint,
    {
      kept,
      removed: plan.removed,
      ...(factors && { factors }),
      card,
      record: (bytesAfter) =>
        newRecord({
          ...details,
          kind: 'experts',
          inputs: [...details.inputs, ...used],
          results: { ...facts, bytesAfter },
          ...{ started, finished },
        }),
    },
    out,
    job,
  );
  for (const { name, why } of written.leftBehind) note(`${name} was not copied: ${why}`);
  return { out: written.out, bytesAfter: written.bytes, leftBehind: written.leftBehind };
}
