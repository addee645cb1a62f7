/** Verify Exported Model…: compares what was exported with the model that it was written from. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { CancelledError } from '../engine/errors';
import { pairIn } from '../engine/draft/pair-file';
import { pairProgramThere } from '../engine/verify/consumers/pairs';
import { type ConsumerThere, consumersThere } from '../engine/verify/consumers/there';
import { formatAt } from '../engine/verify/output';
import { formatCount } from '../format/numbers';
import type { PairVerified } from '../jobs/results/draft';
import type { VerifyResult } from '../jobs/results/export';
import type { VerifySpec } from '../protocol/jobs';
import type { Command, CommonArguments, JobArguments } from '../host/command';
import type { Coppice } from '../host/coppice';
import { exportedPath } from '../host/jobs/exported-path';
import { timeWords } from '../host/ask/job-time';
import { inform } from '../host/inform';
import { runJob } from '../host/jobs/run-job';
import { askAll, pick, type Step } from '../host/ask/steps';
import { toast } from '../host/toast';

/** `output`: else that of the selected line. */
export interface VerifyArguments
  extends CommonArguments, JobArguments<'verify', 'output' | 'against' | 'remove' | 'heal' | 'adapter' | 'consumers'> {}

export const verifyExportCommand: Command<VerifyArguments> = {
  id: 'coppice.verifyExport',
  needsTrust: true,
  async run(coppice, args, settle) {
    const output = args.output ?? (await exportedPath(args)) ?? (await askOutput());
    const { against, remove, heal, adapter, device } = args;
    const consumers = args.consumers ?? (args.throws ? undefined : await askPrograms(coppice, output));
    settle({ ...args, output, consumers });
    const spec: VerifySpec = { kind: 'verify', output, against, remove, heal, adapter, consumers };
    const { result } = await runJob(coppice, spec, { device });
    tell(args, result);
    return result;
  },
};

/** Files and folders at once are not offered by dialogs of all systems. */
async function askOutput(): Promise<string> {
  const title = vscode.l10n.t('Verify Exported Model');
  const file = { label: vscode.l10n.t('A GGUF file…'), isFile: true };
  const folder = { label: vscode.l10n.t('A folder…'), isFile: false };
  const kind = await vscode.window.showQuickPick([file, folder], { title });
  if (!kind) throw new CancelledError();
  const picked = await vscode.window.showOpenDialog({
    title,
    canSelectFiles: kind.isFile,
    canSelectFolders: !kind.isFile,
    ...(kind.isFile && { filters: { GGUF: ['gguf'] } }),
  });
  if (!picked?.[0]) throw new CancelledError();
  return picked[0].fsPath;
}

/**
 * Says how long the comparison takes and what would be started, before it starts. It asks nothing if there are no programs.
 * @returns whether other programs write too
 */
async function askPrograms(coppice: Coppice, output: string): Promise<boolean> {
  const title = vscode.l10n.t('Verify Exported Model');
  const there = await programsFor(output);
  if (there.length === 0) return false;
  const programs = there.map(({ name, version = '', place }) =>
    vscode.l10n.t('{0} in {1}', [name, version].filter(Boolean).join(' '), place),
  );
  // A folder of ONNX models is no checkpoint, and has no estimate.
  const checkpoint = await coppice.library.load(output).catch(() => undefined);
  const time = checkpoint?.architecture && timeWords(coppice, { path: output, checkpoint }, { kind: 'verify', output });
  const more = time === undefined ? undefined : vscode.l10n.t('{0}, and the time of those programs', time);
  const choices = [
    { label: vscode.l10n.t('Weights and texts only'), description: time, value: false },
    {
      label: vscode.l10n.t('Weights, texts, and what other programs write'),
      description: more,
      detail: vscode.l10n.t('Starts {0}', programs.join(', ')),
      value: true,
    },
  ];
  const placeholder = vscode.l10n.t(
    'Select what to compare with the model that {0} was written from',
    basename(output),
  );
  const step: Step<{ consumers?: boolean }> = async (_, place) => {
    const picked = await pick(place, placeholder, choices, false);
    return { consumers: picked };
  };
  const { consumers = false } = await askAll(title, {}, [step]);
  return consumers;
}

/** For a model with its draft the one that it was written for. */
async function programsFor(output: string): Promise<ConsumerThere[]> {
  const pair = await pairIn(output).catch(() => undefined); // what is wrong with it is said when it runs
  return pair ? pairProgramThere(pair.runtime) : consumersThere(await formatAt(output));
}

function tell(args: CommonArguments, { out, against, verified, pair, consumers }: VerifyResult): void {
  const name = basename(out);
  if (verified.passed && pair !== undefined) {
    inform(args, pairWords(name, against, pair));
    return;
  }
  const others = consumers.filter(({ equal }) => equal === false).map((consumer) => consumer.name);
  if (verified.passed && others.length === 0) {
    const ran = consumers.filter(({ equal }) => equal).map((consumer) => consumer.name);
    const text =
      ran.length === 0
        ? vscode.l10n.t('{0} matches {1} within the rounding of its type.', name, against)
        : vscode.l10n.t(
            '{0} matches {1} within the rounding of its type, and generates the same tokens in {2}.',
            name,
            against,
            [...new Set(ran)].join(', '),
          );
    inform(args, text);
  } else if (!args.throws) {
    const why = verified.why ?? vscode.l10n.t('{0} generates different tokens', others.join(', '));
    void toast.warning(vscode.l10n.t('{0} is not {1}: {2}.', name, against, why));
  }
}

function pairWords(name: string, against: string, pair: PairVerified | null): string {
  if (!pair) return vscode.l10n.t('The files of {0} are as they were written. The pair was not run.', name);
  const { texts, rounds, forecastRounds, by } = pair;
  return vscode.l10n.t(
    '{0} writes the texts of {1} ({2}): passes {3}, forecast {4}. Run in {5}.',
    name,
    against,
    formatCount(texts),
    formatCount(rounds),
    formatCount(forecastRounds),
    by,
  );
}
