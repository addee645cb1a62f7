/**
 * Options with which a job cannot be cut into parts. Apart from the CutJobs, because the editor asks before anything runs,
 * and the extension host loads nothing that computes.
 */
import { criterionInfo } from '../../engine/importance/criteria';
import { option, set } from '../../engine/option-token';
import type { Fault } from '../define';
import type { OptionsFor } from '../kinds';
import type { CutKind } from './part-record';

export function scoreFault({ criterion: by, exact, maxKl, ratios }: OptionsFor<'score'>): Fault | undefined {
  if (!criterionInfo(by).cut) {
    return {
      what: `${by} cannot be cut into parts`,
      why: by === 'deepest' ? 'it computes nothing' : 'each of its steps depends on the one before',
      action: `${set('criterion', 'ppl')}, or score in one run.`,
    };
  }
  const given = (['exact', 'maxKl', 'ratios'] as const).find((name) => ({ exact, maxKl, ratios })[name] !== undefined);
  if (given === undefined) return undefined;
  return {
    what: `${option(given)} cannot be used with ${option('part')}`,
    why: given === 'exact' ? 'parts are in one precision, so all scores are exact' : 'it needs the scores of all parts',
    action: `Leave ${option(given)} out${given === 'exact' ? '' : ', and ask when the scores are gathered'}.`,
  };
}

/** Questions of any kind can be cut. */
export const tasksFault = (): undefined => undefined;

export const evalFault = ({ repetition }: OptionsFor<'eval'>): Fault | undefined =>
  repetition === undefined
    ? undefined
    : {
        what: `${option('repetition')} cannot be used with ${option('part')}`,
        why: 'its continuations are no part of the rows',
        action: `Leave ${option('repetition')} out, and measure it in one run with a small ${option('limit')}.`,
      };

export function curveFault({ criterion: by, scores, measure }: OptionsFor<'curve'>): Fault | undefined {
  if (measure === 'tasks') {
    return {
      what: `${option('measure', 'tasks')} cannot be used with ${option('part')}`,
      why: 'a part has some rows of the text, and questions are no rows',
      action: `${set('measure', 'ppl')} here. For the accuracy, cut the job \`tasks\` with the models as its columns.`,
    };
  }
  const { reads, cut } = criterionInfo(by);
  if (scores !== undefined || !reads.some((what) => what === 'text')) return undefined;
  return {
    what: `A curve by ${by} cannot be cut into parts without its scores`,
    why: 'each part would score all blocks again',
    action: `Score first${cut ? `, with ${option('part')} too` : ' in one run'}, and give that record as ${option('scores', 'FILE')}.`,
  };
}

export function expertsFault({ measure, text, out, scores, rescale }: OptionsFor<'experts'>): Fault | undefined {
  const given = (['out', 'text', 'scores', 'rescale'] as const).find(
    (name) => ({ out, text, scores, rescale: rescale === true ? rescale : undefined })[name] !== undefined,
  );
  if (given !== undefined) {
    return {
      what: `${option(given)} cannot be used with ${option('part')}`,
      why: given === 'scores' ? 'then no token is routed' : 'it needs the scores of all parts',
      action: `Leave ${option(given)} out${given === 'scores' ? '' : `. Gather the parts, and give that record as ${option('scores', 'FILE')} together with ${option(given)}`}.`,
    };
  }
  if (!measure) return undefined;
  return {
    what: `The loss before and after cannot be measured with ${option('part')}`,
    why: 'which experts go is known once the parts are gathered',
    action: `Add ${option('measure', false)}. Then give the gathered record as ${option('scores', 'FILE')}, and measure.`,
  };
}

export function healFault({ data = [], calibration, application }: OptionsFor<'heal'>): Fault | undefined {
  const isGiven = calibration !== undefined || application !== undefined || data.length > 0;
  if (isGiven && !data.includes('self')) return undefined;
  return {
    what: 'Text that the original writes cannot be used with parts',
    why: 'each part would write it again',
    action: `Give a text: ${option('data', 'FILE')}.`,
  };
}

/** By job. Its CutJob has the same function. */
export const CUT_FAULTS: { readonly [K in CutKind]: (options: OptionsFor<K>) => Fault | undefined } = {
  score: scoreFault,
  tasks: tasksFault,
  eval: evalFault,
  curve: curveFault,
  experts: expertsFault,
  heal: healFault,
};
