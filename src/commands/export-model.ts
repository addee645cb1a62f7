/** Export for an Application…: writes the plan in the format of the program that runs it, and compares the result. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import type { ExportResult } from '../protocol/export';
import type { ExportSpec } from '../protocol/jobs';
import { EXPORT_TYPES, type ExportFormat } from '../jobs/definitions/export';
import { type Chosen, chooseCheckpoint } from '../host/choose-checkpoint';
import type { Command, CommonArguments } from '../host/command';
import type { Coppice } from '../host/coppice';
import { inform, nextCommand } from '../host/inform';
import { askOutputFile, askOutputFolder, outputFolder } from '../host/output-folder';
import { recall, remember } from '../host/remembered';
import { runJob } from '../host/run-job';
import { showCheckpoint } from '../host/show-checkpoint';
import { askAll, BACK, type Choice, pick, pickMany, type Step } from '../host/steps';
import { changesSteps, type WrittenChanges } from './changes-step';

/** `remove`: undefined uses the plan. */
export interface ExportModelArguments extends CommonArguments, WrittenChanges {
  readonly format?: ExportFormat;
  /** Types of the weights; empty: as stored. */
  readonly type?: readonly string[];
  readonly target?: 'cpu' | 'webgpu';
  readonly out?: string;
}

export const exportModelCommand: Command<ExportModelArguments> = {
  id: 'coppice.exportModel',
  needsTrust: true,
  async run(coppice, args, settle) {
    const title = vscode.l10n.t('Export for an Application');
    const chosen = await chooseCheckpoint(coppice, args, title, { prefers: 'plan' });
    const isOpen = [args.out, args.remove, args.heal, args.adapter].every((each) => each === undefined);
    const complete = await askAll(title, args, [
      ...(isOpen ? await changesSteps<ExportModelArguments>(coppice, chosen) : []),
      ...(args.format === undefined ? [formatStep(coppice)] : []),
      ...(args.type === undefined ? [typeStep] : []),
      ...(args.target === undefined ? [targetStep] : []),
      ...(args.out === undefined ? [outStep(coppice, chosen)] : []),
    ]);
    const { format, type = [], target, out, heal, adapter, device } = complete;
    // Healed weights and an adapter say themselves what lies below them.
    const planned = (heal ?? adapter) === undefined ? coppice.plans.removed(chosen.subject) : [];
    const remove = complete.remove ?? planned;
    if (args.format === undefined) await remember(coppice, 'export', { format });
    settle({ ...complete, checkpoint: chosen.path, remove });
    const spec: ExportSpec = {
      kind: 'export',
      checkpoint: chosen.path,
      remove,
      heal,
      adapter,
      format,
      ...(type.length > 0 && { type }),
      ...(format === 'onnx' && { target }),
      out: out!,
    };
    const { result, unwatched } = await runJob(coppice, spec, { device });
    if (result.format !== 'onnx') await showCheckpoint(coppice, result.out);
    // The tree has no line for an ONNX folder.
    if (unwatched || result.format === 'onnx') tellExported(args, result);
    return result;
  },
};

function tellExported(args: CommonArguments, { out }: ExportResult): void {
  inform(
    args,
    vscode.l10n.t('Exported {0} and compared it with the model.', basename(out)),
    nextCommand(vscode.l10n.t('Copy Code'), 'coppice.copyLoadingCode', { checkpoint: out }),
    {
      label: vscode.l10n.t('Reveal'),
      run: () => vscode.commands.executeCommand('revealFileInOS', vscode.Uri.file(out)),
    },
  );
}

function formatStep(coppice: Coppice): Step<ExportModelArguments> {
  return async (_, place) => {
    const choices: Choice<ExportFormat>[] = [
      { label: 'GGUF', description: vscode.l10n.t('llama.cpp, Ollama, LM Studio'), value: 'gguf' },
      { label: 'ONNX', description: vscode.l10n.t('onnxruntime, transformers.js, onnxruntime-genai'), value: 'onnx' },
      { label: 'safetensors', description: vscode.l10n.t('transformers, vLLM'), value: 'safetensors' },
    ];
    const last = recall<string>(coppice, 'export', 'format', 'gguf') as ExportFormat;
    const format = await pick(place, vscode.l10n.t('Select a format'), choices, last);
    return format === BACK ? BACK : { format };
  };
}

/** As it is stored. */
const STORED = 'stored';

const typeStep: Step<ExportModelArguments> = async ({ format = 'gguf' }, place) => {
  const types = EXPORT_TYPES[format].map((value) => ({ label: value, value }));
  if (format === 'onnx') {
    const type = await pickMany(place, vscode.l10n.t('Select the types of the models'), types, ['fp32']);
    return type === BACK ? BACK : { type };
  }
  const stored = { label: vscode.l10n.t('As stored'), value: STORED };
  const type = await pick<string>(place, vscode.l10n.t('Select the type of the weights'), [stored, ...types], STORED);
  if (type === BACK) return BACK;
  return { type: type === STORED ? [] : [type] };
};

const targetStep: Step<ExportModelArguments> = async ({ format }, place) => {
  if (format !== 'onnx') return {};
  const choices = [
    { label: 'CPU', description: vscode.l10n.t('Node, Python, WebAssembly'), value: 'cpu' as const },
    { label: vscode.l10n.t('WebGPU'), description: vscode.l10n.t('browsers with a GPU'), value: 'webgpu' as const },
  ];
  const target = await pick(place, vscode.l10n.t('Select where the models will run'), choices);
  return target === BACK ? BACK : { target };
};

function outStep(coppice: Coppice, { checkpoint }: Chosen): Step<ExportModelArguments> {
  return async ({ format = 'gguf', type = [] }, place) => {
    const suffix = [format, ...type].join('-');
    const extension = format === 'gguf' ? '.gguf' : '';
    const value = outputFolder(
      coppice.config.outputFolder,
      checkpoint,
      format === 'gguf' ? (type[0] ?? format) : suffix,
      extension,
    );
    const out =
      format === 'gguf'
        ? await askOutputFile(place, { prompt: vscode.l10n.t('The new file'), value, extension })
        : await askOutputFolder(place, { prompt: vscode.l10n.t('The new folder'), value });
    return out === BACK ? BACK : { out };
  };
}
