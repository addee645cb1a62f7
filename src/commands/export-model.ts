/** Export for an Application…: writes the plan in the format of the program that runs it, and compares the result. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import type { ExportResult } from '../jobs/results/export';
import type { ExportSpec } from '../protocol/jobs';
import { type ExportFormat, FORMATS } from '../engine/write/formats';
import { type Chosen, chooseCheckpoint } from '../host/ask/choose-checkpoint';
import type { Command, CommonArguments, JobArguments } from '../host/command';
import type { Coppice } from '../host/coppice';
import { requireSpace } from '../host/ask/disk-space';
import { hintAtGit } from '../host/git-hint';
import { compareStep, inform, nextCommand } from '../host/inform';
import { askOutputFile, askOutputFolder, outputFolder } from '../host/ask/output-folder';
import { recall, remember } from '../host/ask/remembered';
import { runJob } from '../host/jobs/run-job';
import { askAll, pick, pickMany, type Step, when } from '../host/ask/steps';
import type { ShipGoal } from '../protocol/journey';
import { formatBytes } from '../format/numbers';
import { finerWords } from '../jobs/finer-words';
import { drawnOptions } from '../jobs/options/calibration';
import { isGgufCheckpoint } from '../engine/checkpoint/gguf/name';
import { UserError } from '../engine/errors';
import { addToStep } from './add-to';
import { timeWords } from '../host/ask/job-time';
import { explainedSize, type TypeSize, typesOf } from '../host/ask/export-sizes';
import { formatChoices, refusalWords } from '../host/ask/format-choices';
import { exportSuffix, withoutWords } from '../host/ask/export-names';
import { recommendedType, STORED, typeChoices } from '../host/ask/type-choices';
import { changesIn, type FoundChanges, type OnTop, type Shipped, type WrittenSize } from '../estimates/written-bytes';
import { relativesOf } from './comparable-models';
import { changesSteps, type WrittenChanges } from './changes-step';
import { imatrixStep } from './imatrix-step';

/** `remove`: undefined uses the plan. */
export interface ExportModelArguments
  extends
    CommonArguments,
    WrittenChanges,
    JobArguments<'export', 'format' | 'target' | 'out' | 'imatrix' | 'calibration'> {
  /** Types of the weights; empty: as stored. */
  readonly type?: readonly string[];
}

export const exportModelCommand: Command<ExportModelArguments> = {
  id: 'coppice.exportModel',
  needsTrust: true,
  async run(coppice, args, settle) {
    const title = vscode.l10n.t('Export for an Application');
    const chosen = await chooseCheckpoint(coppice, args, title, { prefers: 'plan' });
    const goal = await goalOf(coppice, chosen);
    const removed = coppice.plans.removed(chosen.subject);
    const sizes = new ExportSizes(chosen, removed);
    const isOpen = [args.out, args.remove, args.heal, args.adapter].every((each) => each === undefined);
    const complete = await askAll(title, args, [
      ...(isOpen ? await changesSteps<ExportModelArguments>(coppice, chosen) : []),
      ...(args.format === undefined ? [formatStep(coppice, chosen, removed, goal)] : []),
      ...(args.type === undefined ? [typeStep(chosen, sizes, goal)] : []),
      // Who names the type names this too.
      ...(args.type === undefined && args.imatrix === undefined ? [imatrixStep<ExportModelArguments>(coppice)] : []),
      ...(args.target === undefined ? [targetStep] : []),
      ...(args.out === undefined ? [outStep(coppice, chosen, sizes)] : []),
    ]);
    const { format, type = [], target, out, heal, adapter, device, imatrix, calibration } = complete;
    // Healed weights and an adapter say themselves what lies below them.
    const planned = (heal ?? adapter) === undefined ? coppice.plans.removed(chosen.subject) : [];
    const remove = complete.remove ?? planned;
    if (args.format === undefined) await remember(coppice, 'export', { format });
    settle({ ...complete, checkpoint: chosen.path, remove });
    requireSpace(out!, await sizes.of(complete));
    const spec: ExportSpec = {
      kind: 'export',
      checkpoint: chosen.path,
      remove,
      heal,
      adapter,
      format,
      ...(type.length > 0 && { type }),
      ...(FORMATS[format!].options.includes('target') && { target }),
      ...(imatrix !== undefined && imatrix !== '' && { imatrix }),
      ...(imatrix === 'auto' &&
        calibration !== undefined &&
        drawnOptions({ ...coppice.config.calibration, file: calibration })),
      out: out!,
    };
    const { result } = await runJob(coppice, spec, { device });
    void hintAtGit(coppice, args, result.out);
    await tellExported(args, result);
    return result;
  },
};

/** What Coppice does not read is not compared by perplexity. */
async function tellExported(args: CommonArguments, { format, out, finer }: ExportResult): Promise<void> {
  const told = vscode.l10n.t('Exported {0} and compared it with the model.', basename(out));
  inform(
    args,
    finer ? `${told} ${finerWords(finer)}.` : told,
    ...(FORMATS[format].isCheckpoint ? [compareStep(out)] : []),
    nextCommand(vscode.l10n.t('Copy Code to Load It'), 'coppice.copyLoadingCode', { checkpoint: out }),
    ...(await addToStep(out)),
    {
      label: vscode.l10n.t('Reveal'),
      run: () => vscode.commands.executeCommand('revealFileInOS', vscode.Uri.file(out)),
    },
  );
}

/** What the family must be to ship. */
async function goalOf(coppice: Coppice, chosen: Chosen): Promise<ShipGoal | undefined> {
  return coppice.goals.goal((await relativesOf(coppice, chosen)).originalIdentity);
}

function formatStep(
  coppice: Coppice,
  chosen: Chosen,
  planned: readonly number[],
  goal: ShipGoal | undefined,
): Step<ExportModelArguments> {
  return async (state, place) => {
    const choices = await formatChoices(chosen.checkpoint);
    // What lies in a GGUF file loses least as one.
    const usual = isGgufCheckpoint(chosen.checkpoint) ? 'gguf' : recall<string>(coppice, 'export', 'format', 'gguf');
    const question = [vscode.l10n.t('Select a format'), ...withoutWords(chosen, state, planned)].join(' · ');
    return { format: await pick(place, question, choices, goal?.format ?? (usual as ExportFormat)) };
  };
}

/** Each type with the size that it gives, and whether that is within the goal. */
const typeStep =
  (chosen: Chosen, sizes: ExportSizes, goal: ShipGoal | undefined): Step<ExportModelArguments> =>
  async (state, place) => {
    const { format = 'gguf' } = state;
    const found = await Promise.all(
      typesOf(format).map(async (type): Promise<TypeSize> => {
        const size = await sizes.sizeOrFault({ ...state, type: type === undefined ? [] : [type] });
        return size instanceof UserError ? { type, fault: size } : { type, ...size };
      }),
    );
    const choices = typeChoices(chosen.checkpoint, format, found, {
      told: (bytes) => sizeWords(bytes, goal),
      refused: refusalWords,
    });
    const wanted = goal?.format === format ? (goal.type ?? STORED) : recommendedType(chosen.checkpoint, format);
    if (FORMATS[format].several) {
      return { type: await pickMany(place, vscode.l10n.t('Select the types of the models'), choices, [wanted]) };
    }
    const question = vscode.l10n.t('Select the type of the weights');
    const type = await pick<string>(place, question, choices, wanted);
    return { type: type === STORED ? [] : [type] };
  };

/** "116.2 MB · within the goal" */
function sizeWords(bytes: number, goal: ShipGoal | undefined): string {
  const size = formatBytes(bytes);
  if (goal?.maxBytes === undefined) return size;
  return bytes <= goal.maxBytes
    ? vscode.l10n.t('{0} · within the goal of {1}', size, formatBytes(goal.maxBytes))
    : vscode.l10n.t('{0} · more than the goal of {1}', size, formatBytes(goal.maxBytes));
}

const targetStep = when<ExportModelArguments>(
  ({ format }) => format && FORMATS[format].options.includes('target'),
  async (_, place) => {
    const choices = [
      { label: 'CPU', description: vscode.l10n.t('Node, Python, WebAssembly'), value: 'cpu' as const },
      { label: vscode.l10n.t('WebGPU'), description: vscode.l10n.t('browsers with a GPU'), value: 'webgpu' as const },
    ];
    return { target: await pick(place, vscode.l10n.t('Select where the models will run'), choices) };
  },
);

function outStep(coppice: Coppice, chosen: Chosen, sizes: ExportSizes): Step<ExportModelArguments> {
  return async (state, place) => {
    const { format = 'gguf', type = [] } = state;
    const bytes = await sizes.of(state);
    const { extension } = FORMATS[format];
    const planned = coppice.plans.removed(chosen.subject);
    const suffix = exportSuffix(chosen, state, planned);
    const value = outputFolder(coppice.config.outputFolder, chosen.checkpoint, suffix, extension);
    const remove = state.remove ?? planned;
    const time = timeWords(coppice, chosen, {
      kind: 'export',
      checkpoint: chosen.path,
      remove,
      type,
      imatrix: state.imatrix === '' ? undefined : state.imatrix,
    });
    const what =
      extension === undefined
        ? vscode.l10n.t('The new folder. Time: {0}', time)
        : vscode.l10n.t('The new file. Time: {0}', time);
    const prompt = [...withoutWords(chosen, state, planned), what].join('. ');
    const out =
      extension === undefined
        ? await askOutputFolder(place, { prompt, value, bytes })
        : await askOutputFile(place, { prompt, value, extension, bytes });
    return { out };
  };
}

/** Bytes of exports, as the answers describe them. */
class ExportSizes {
  private readonly onTop = new Map<string, Promise<FoundChanges>>();

  /** @param planned blocks that the plan removes */
  constructor(
    private readonly chosen: Chosen,
    private readonly planned: readonly number[],
  ) {}

  /** Undefined where only the export can tell: without a format, or where it will say what cannot be written. */
  async of(answers: ExportModelArguments): Promise<number | undefined> {
    const size = await this.sizeOrFault(answers);
    return size instanceof UserError ? undefined : size?.bytes; // the export says why
  }

  /** Has the reason where the model cannot be written so. */
  async sizeOrFault({
    format,
    type = [],
    remove,
    heal,
    adapter,
  }: ExportModelArguments): Promise<WrittenSize | UserError | undefined> {
    if (format === undefined) return undefined;
    try {
      const onTop = (heal ?? adapter) === undefined ? undefined : await this.changes({ heal, adapter });
      // Healed weights and an adapter say themselves what lies below them.
      const named = (remove ?? (onTop ? [] : this.planned)).filter((entry) => typeof entry === 'number');
      const removed = [...new Set([...named, ...(onTop?.removed ?? [])])].sort((a, b) => a - b);
      const each = type.length === 0 ? [undefined] : type;
      const shipped = each.map((one): Shipped => ({ format, removed, type: one, changed: onTop?.changed }));
      const sizes = await Promise.all(shipped.map((one) => explainedSize(this.chosen.checkpoint, one)));
      const [{ finer }] = sizes; // only GGUF has it, in one file
      return { bytes: sizes.reduce((sum, { bytes }) => sum + bytes, 0), ...(finer && { finer }) };
    } catch (error) {
      if (error instanceof UserError) return error;
      throw error;
    }
  }

  /** Read once for all types. */
  private changes(onTop: OnTop): Promise<FoundChanges> {
    const key = JSON.stringify([onTop.heal, onTop.adapter]);
    const found = this.onTop.get(key) ?? changesIn(this.chosen.checkpoint, onTop);
    this.onTop.set(key, found);
    return found;
  }
}
