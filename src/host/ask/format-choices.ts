/** The formats of an export as choices: what the model cannot be written as says so before it is chosen. */
import * as vscode from 'vscode';
import type { Checkpoint } from '../../engine/checkpoint/types';
import type { UserError } from '../../engine/errors';
import { Refusal } from '../../engine/tokenizer/gguf/refusal';
import { type ExportFormat, FORMATS } from '../../engine/write/formats';
import { shortText } from '../toast';
import { formatFault } from './export-sizes';
import type { PickChoice } from './steps';

/** Most programs that run models on a computer load the first one. */
const ORDER: readonly ExportFormat[] = ['gguf', 'onnx', 'safetensors'];

/** Formats with the programs that read them. */
export async function formatChoices(checkpoint: Checkpoint): Promise<PickChoice<ExportFormat>[]> {
  const faults = await Promise.all(ORDER.map((format) => formatFault(checkpoint, format)));
  const possible = ORDER.filter((_, at) => faults[at] === undefined);
  return ORDER.map((value, at) => ({
    label: FORMATS[value].title,
    description: FORMATS[value].programs.join(', '),
    value,
    ...(faults[at] && { refused: refusalWords(faults[at], possible) }),
  }));
}

/** Why a model cannot be written so, and what to take instead: "llama.cpp does not know its tokenizer. Take ONNX or safetensors." */
export function refusalWords(fault: UserError, instead: readonly ExportFormat[] = []): string {
  const { t } = vscode.l10n;
  const why =
    fault.cause instanceof Refusal
      ? t('llama.cpp does not know its tokenizer')
      : shortText(`${fault.what}: ${fault.why}`);
  const names = instead.map((format) => FORMATS[format].title);
  if (names.length === 0) return `${why}.`;
  const before = names.slice(0, -1).join(', ');
  const list = before === '' ? names[0] : t('{0} or {1}', before, names.at(-1)!);
  return t('{0}. Take {1}.', why, list);
}
