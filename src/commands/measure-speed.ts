/** Measure Speed…: measures models in turns, with one text, or over batches and lengths. */
import * as vscode from 'vscode';
import type { Coppice } from '../host/coppice';
import { PAPER, type Protocol, QUICK } from '../engine/evaluate/grid/protocol';
import type { LabelledModel } from '../jobs/option';
import type { SpeedsResult } from '../jobs/results/bench';
import type { SpecOf } from '../protocol/jobs';
import type { Defined } from '../jobs/kinds';
import { checkpointName } from '../jobs/titles';
import { formatNumber } from '../format/numbers';
import { speedText } from '../format/speeds';
import { type Chosen, chooseCheckpoint } from '../host/ask/choose-checkpoint';
import type { Command, CommonArguments, JobArguments } from '../host/command';
import { inform } from '../host/inform';
import { timeAndMemory } from '../host/ask/job-time';
import { recall, remember } from '../host/ask/remembered';
import { runJob } from '../host/jobs/run-job';
import { askAll, pick, type Step, when } from '../host/ask/steps';

export interface MeasureSpeedArguments
  extends CommonArguments, JobArguments<'grid', 'columns' | 'batch' | 'newTokens' | 'runs' | 'warmup'> {
  /** One of the sizes that the command offers, in place of texts side by side and new tokens. */
  readonly size?: 'one' | keyof typeof SIZES;
}

/** More batches and both lengths of the paper, as often as the quick one. */
const WIDE: Protocol = { ...QUICK, batches: [1, 8, 16, 32, 64], newTokens: [128, 512] };
const SIZES = { quick: QUICK, wide: WIDE, paper: PAPER } as const;

export const measureSpeedCommand: Command<MeasureSpeedArguments> = {
  id: 'coppice.measureSpeed',
  needsTrust: true,
  async run(coppice, args, settle) {
    const title = vscode.l10n.t('Measure Speed');
    const chosen = await chooseCheckpoint(coppice, args, title);
    const columns = args.columns ?? ownColumns(coppice, chosen);
    const complete = await askAll(title, args, [sizeStep(coppice, chosen, columns)]);
    if (args.size === undefined && complete.size !== undefined) {
      await remember(coppice, 'measureSpeed', { size: complete.size });
    }
    settle({ ...complete, columns, checkpoint: chosen.path });
    const { size = 'quick', batch, newTokens, runs, warmup } = complete;
    if (size === 'one' && batch === undefined) return measureOne(coppice, chosen, columns, args);
    const protocol = SIZES[size === 'one' ? 'quick' : size];
    const spec: SpecOf<Defined['grid']> = {
      kind: 'grid',
      columns,
      batch: batch ?? protocol.batches,
      newTokens: newTokens ?? protocol.newTokens,
      runs: runs ?? protocol.runs,
      warmup: warmup ?? protocol.warmup,
    };
    const { result, notes, seen } = await runJob(coppice, spec, { device: args.device });
    const open = {
      label: vscode.l10n.t('Open Results'),
      run: () => vscode.commands.executeCommand('coppice.openResults', { checkpoint: chosen.path }),
    };
    const parts = result.models.map(({ label, cells, failure }) => {
      const most = Math.max(...cells.map(({ measured }) => measured?.throughput.mean ?? 0));
      return failure ?? vscode.l10n.t('{0}: up to {1} tokens/s', label, formatNumber(most, 3));
    });
    if (!seen) inform(args, [`${parts.join(', ')}.`, ...notes].join(' '), open);
    return result;
  },
};

/** How fast the models read a prompt and continue it, one text at a time. */
async function measureOne(
  coppice: Coppice,
  { path }: Chosen,
  columns: readonly LabelledModel[],
  args: MeasureSpeedArguments,
): Promise<SpeedsResult> {
  const { result, seen } = await runJob(coppice, { kind: 'speeds', columns }, { device: args.device });
  const open = {
    label: vscode.l10n.t('Open Results'),
    run: () => vscode.commands.executeCommand('coppice.openResults', { checkpoint: path }),
  };
  const parts = result.models.map(({ label, failure, decodeTokensPerSecond: value = NaN, decodeRange: range }) => {
    return failure ?? `${label}: ${speedText({ value, range })}`;
  });
  if (!seen) inform(args, `${parts.join(', ')}.`, open);
  return result;
}

/** The checkpoint, and without the blocks of its plan. */
function ownColumns({ plans }: Coppice, { path, subject }: Chosen): LabelledModel[] {
  const removed = plans.removed(subject);
  const name = checkpointName(path);
  const whole = { label: name, checkpoint: path };
  if (removed.length === 0) return [whole];
  return [
    whole,
    { label: vscode.l10n.t('{0} without {1}', name, removed.join(', ')), checkpoint: path, remove: removed },
  ];
}

/** Asks how much to measure, with the time that it takes. */
function sizeStep(coppice: Coppice, chosen: Chosen, columns: readonly LabelledModel[]): Step<MeasureSpeedArguments> {
  const { t } = vscode.l10n;
  const step: Step<MeasureSpeedArguments> = async (_, place) => {
    const time = ({ batches: batch, newTokens, runs, warmup }: Protocol): string =>
      timeAndMemory(coppice, chosen, { kind: 'grid', columns, batch, newTokens, runs, warmup });
    const listed = (protocol: Protocol): string =>
      t(
        '{0} texts of {1} new tokens, {2} runs',
        protocol.batches.join(', '),
        protocol.newTokens.join(', '),
        protocol.runs,
      );
    const one = {
      label: t('One text'),
      description: timeAndMemory(coppice, chosen, { kind: 'speeds', columns }),
      detail: t('How fast each reads a prompt and continues it'),
      value: 'one' as const,
    };
    const batches = (
      [
        ['quick', t('Quick')],
        ['wide', t('Wide')],
        ['paper', t("The paper's settings")],
      ] as const
    ).map(([value, label]) => ({ label, description: time(SIZES[value]), detail: listed(SIZES[value]), value }));
    const names = columns.map(({ label }) => label).join(', ');
    const last = recall(coppice, 'measureSpeed', 'size', 'one');
    const choices = [one, ...batches];
    const active = choices.find(({ value }) => value === last)?.value ?? 'one';
    return { size: await pick(place, t('Select how much to measure of {0}', names), choices, active) };
  };
  return when(({ size, batch, newTokens }) => [size, batch, newTokens].every((each) => each === undefined), step);
}
