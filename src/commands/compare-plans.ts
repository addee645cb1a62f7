/** Rank Plans…: measures the chosen plans of a checkpoint on the same rows, and shows them in the results panel. */
import { withShare } from '../format/text-share';
import * as vscode from 'vscode';
import { openResults } from '../editors/results/panel';
import { UserError } from '../engine/errors';
import { formatFactor } from '../format/numbers';
import { type Chosen, chooseCheckpoint } from '../host/ask/choose-checkpoint';
import type { Command, CommonArguments } from '../host/command';
import type { Coppice } from '../host/coppice';
import { inform } from '../host/inform';
import { planFacts } from '../host/ask/plan-names';
import { type PlannedJob, timeWords } from '../host/ask/job-time';
import { runJob } from '../host/jobs/run-job';
import { askAll, pickMany, type Step } from '../host/ask/steps';
import { drawnOptions } from '../jobs/options/calibration';
import type { CalibrationSource } from '../protocol/jobs';
import { ratioIn } from '../state/measured';

export interface ComparePlansArguments extends CommonArguments {
  /** Names of plans; "" is the current one. All of them when undefined and the caller names the checkpoint. */
  readonly plans?: readonly string[];
}

interface Candidate {
  readonly name: string;
  readonly removed: readonly number[];
}

export const comparePlansCommand: Command<ComparePlansArguments> = {
  id: 'coppice.comparePlans',
  needsTrust: true,
  async run(coppice, args, settle) {
    const title = vscode.l10n.t('Rank Plans');
    const chosen = await chooseCheckpoint(coppice, args, title, { prefers: 'plan' });
    const all = candidates(coppice, chosen);
    if (all.length === 0) throw noPlans();
    const { plans } = args.plans
      ? args
      : await askAll<ComparePlansArguments>(title, args, [step(coppice, chosen, all)]);
    settle({ ...args, checkpoint: chosen.path, plans });
    const wanted = all.filter(({ name }) => plans!.includes(name));
    const source = rowsOf(coppice, chosen);
    // The whole model comes first: every plan is told by what it is to it.
    for (const { removed } of [{ removed: [] }, ...wanted]) {
      const spec = { kind: 'eval' as const, checkpoint: chosen.path, remove: removed, ...drawnOptions(source) };
      await runJob(coppice, spec, { device: args.device });
    }
    await coppice.records.read();
    const results = wanted.map((plan) => ({ ...plan, ratio: ratioOf(coppice, chosen, plan) }));
    if (!args.throws) await openResults(coppice, chosen.path, chosen.checkpoint);
    const words = results.map(
      ({ name, ratio }) => `${nameOf(name)} ${ratio === undefined ? '?' : formatFactor(ratio)}`,
    );
    inform(args, vscode.l10n.t('Perplexity relative to the original: {0}.', words.join(', ')));
    return results;
  },
};

/** The named plans, and the current one if it has no name. */
function candidates({ plans, namedPlans }: Coppice, { subject }: Chosen): readonly Candidate[] {
  const named = namedPlans.of(subject);
  const removed = plans.removed(subject);
  const isNamed = named.some((plan) => plan.removed.join() === removed.join());
  return removed.length === 0 || isNamed ? named : [{ name: '', removed }, ...named];
}

const nameOf = (name: string): string => (name === '' ? vscode.l10n.t('Current plan') : name);

function step(coppice: Coppice, chosen: Chosen, all: readonly Candidate[]): Step<ComparePlansArguments> {
  const source = rowsOf(coppice, chosen);
  const evaluated = (remove: readonly number[]): PlannedJob => ({
    ...{ kind: 'eval', checkpoint: chosen.path, ...drawnOptions(source) },
    ...(remove.length > 0 && { remove }),
  });
  return async (_, place) => {
    const choices = all.map(({ name, removed }) => {
      const time = timeWords(coppice, chosen, evaluated(removed));
      const facts = [planFacts(chosen.checkpoint, removed), time].join(' · ');
      return { label: nameOf(name), description: facts, value: name };
    });
    const time = timeWords(coppice, chosen, evaluated([]), ...all.map(({ removed }) => evaluated(removed)));
    const question = vscode.l10n.t('Select the plans to measure · all of them and the original: {0}', time);
    const names = all.map(({ name }) => name);
    return { plans: await pickMany(place, question, choices, names) };
  };
}

/** The rows that scored the blocks, which the results panel measures on; else those of the settings. */
function rowsOf({ scores, config }: Coppice, { subject, architecture }: Chosen): CalibrationSource {
  const calibration = scores.shown(subject)?.calibration;
  const { file, samples, length, seed, share } =
    calibration?.file === undefined ? config.calibration : { ...calibration };
  const usual = config.calibration;
  return {
    file: file ?? usual.file,
    samples: samples ?? usual.samples,
    length: Math.min(length ?? usual.length, architecture.context),
    seed,
    ...withShare(share),
  };
}

const ratioOf = ({ records }: Coppice, { subject: { identity } }: Chosen, { removed }: Candidate): number | undefined =>
  ratioIn(records.digests, { identity, removed }, identity);

const noPlans = (): UserError =>
  new UserError(
    vscode.l10n.t('No plans to compare'),
    vscode.l10n.t('no plan of this checkpoint has a name, and all blocks are kept'),
    vscode.l10n.t('Make a plan, and give it a name with “Coppice: Save Plan As…”.'),
  );
