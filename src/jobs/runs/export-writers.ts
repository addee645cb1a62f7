/** The formats of an export: each writes the model to a path that does not exist yet. */
import { cpus } from 'node:os';
import { basename, join, resolve } from 'node:path';
import type { Reduction } from '../../engine/checkpoint/reduction';
import { widthSetting } from '../../engine/checkpoint/width';
import { writeWhole } from '../../engine/files/whole-file';
import { signed } from '../../engine/files/signed';
import { adapterDigest } from '../../engine/adapter/adapter';
import type { OpenedModel } from '../../engine/model/opened';
import { onnxruntimeVersion } from '../../engine/onnx/session';
import type { JobOptions } from '../../engine/progress';
import { modelInput, modelName, newRecord, type RunRecord } from '../../engine/records/record';
import { withChanges } from '../../engine/weights/overlay';
import { withWeights } from '../../engine/weights/checkpoint';
import { inheritedFields } from '../../engine/write/card';
import { exportCard } from '../../engine/write/export-card';
import { type ExportFormat, FORMATS } from '../../engine/write/formats';
import { exportSafetensors } from '../../engine/write/export-safetensors';
import type { GgufType } from '../../engine/write/gguf/kinds';
import { ggufFacts, llamaCppCommands, modelfileText } from '../../engine/write/gguf/beside';
import { writeGguf } from '../../engine/write/gguf/write-gguf';
import type { FolderFile } from '../../engine/write/onnx/folder/facts';
import { onnxFolderFiles } from '../../engine/write/onnx/folder/files';
import type { OnnxMeasured } from '../../engine/write/onnx/folder/readme';
import { ONNX_KINDS, type OnnxKind } from '../../engine/write/onnx/kinds';
import { type OnnxModelFacts, writeOnnx } from '../../engine/write/onnx/write-onnx';
import type { FinerTypes } from '../../engine/write/gguf/finer';
import type { MeasuredKind } from '../results/export';
import type { OptionsFor } from '../kinds';
import type { ExportImatrix } from './export-imatrix';
import { storedDtype } from '../options/output';

/** An export that goes on. */
export interface Exporting {
  readonly options: OptionsFor<'export'>;
  readonly format: ExportFormat;
  readonly opened: OpenedModel;
  readonly reduction: Reduction;
  /** What guides the quantizing of a GGUF file. */
  readonly imatrix?: ExportImatrix;
  readonly started: Date;
}

/** What was written, and what follows once it has been looked at. */
export interface WrittenExport {
  readonly notes: readonly string[];
  readonly finer?: FinerTypes;
  /** Matrices whose columns have an importance. */
  readonly weighed?: number;
  /** Writes the card with what was found. */
  readonly document?: (findings: readonly string[], measured: readonly MeasuredKind[]) => Promise<void>;
  /** Writes what lies beside the output, once that has its name. */
  readonly beside?: (out: string) => Promise<void>;
}

type Writer = (exporting: Exporting, path: string, job: JobOptions) => Promise<WrittenExport>;

/** @throws UserError when the format cannot say the model, or it cannot be written; CancelledError */
export const writeExport: Writer = (exporting, path, job) => WRITERS[exporting.format](exporting, path, job);

const WRITERS: Readonly<Record<ExportFormat, Writer>> = {
  async safetensors(exporting, path, job) {
    const { options, opened, reduction, started } = exporting;
    const { removed } = reduction;
    const settings = settingsOf(exporting);
    const inherited = await inheritedFields(opened.checkpoint);
    const onTop = opened.inputs.map(({ name }) => name);
    const card = (now: Reduction, findings: readonly string[]): string =>
      exportCard(opened.checkpoint, now, { settings, inherited, onTop, findings });
    const dtype = storedDtype(options.type?.[0]?.toLowerCase() as 'f32' | undefined);
    const written = await exportSafetensors(opened, path, {
      ...job,
      removed,
      dtype,
      card: (now) => Promise.resolve(card(now, [])),
      // It is written again with what was found.
      record: (results) =>
        newRecord({ kind: 'export', inputs: [modelInput(opened.checkpoint)], settings, results, started }),
    });
    return {
      notes: written.leftBehind.map(({ name, why }) => `${name} was not copied: ${why}`),
      document: (findings) => writeWhole(join(path, 'README.md'), card(written, findings)),
    };
  },

  async gguf(exporting, path, job) {
    const { options, opened, reduction, imatrix, started } = exporting;
    const { checkpoint, changes, inputs } = opened;
    const { kept, removed } = reduction;
    const what = [
      ...(removed.length > 0 ? [`without the blocks ${removed.join(', ')}`] : []),
      ...(inputs.length > 0 ? [`with ${inputs.map(({ name }) => name).join(' and ')}`] : []),
    ];
    const finished = new Date(); // of the plan: the record is part of the file
    const record = (bytes: number): RunRecord =>
      newRecord({
        kind: 'export',
        inputs: [modelInput(checkpoint), ...inputs, ...(imatrix ? [imatrix.input] : [])],
        settings: settingsOf(exporting),
        results: { ...reduction, bytesAfter: bytes },
        started,
        finished,
      });
    const { notes, finer, weighed } = await withWeights(checkpoint, (weights) =>
      writeGguf(checkpoint, withChanges(weights, changes), path, {
        ...job,
        kept,
        type: options.type?.[0]?.toLowerCase() as GgufType | undefined,
        importance: imatrix,
        threads: options.threads,
        description: [modelName(checkpoint), ...what, 'exported with Coppice'].join(', '),
        record,
      }),
    );
    return { notes, weighed, ...(finer && { finer }), ...(options.modelfile && { beside: writeModelfile }) };
  },

  async onnx(exporting, path, job) {
    const { options, opened, reduction } = exporting;
    const { checkpoint, changes, inputs } = opened;
    const { kept } = reduction;
    const onTop = inputs.map(({ name }) => name).join(' and ');
    const description = onTop === '' ? undefined : `Its weights are changed by ${onTop}.`;
    let facts: OnnxModelFacts | undefined;
    const files = (measured?: OnnxMeasured): Promise<FolderFile[]> =>
      onnxFolderFiles(checkpoint, facts!, { kept, name: basename(resolve(options.out)), description, measured });
    const { notes } = await withWeights(checkpoint, (weights) =>
      writeOnnx(checkpoint, withChanges(weights, changes), path, {
        ...job,
        kept,
        kinds: kindsOf(options),
        target: options.target,
        beside: (written) => {
          facts = written;
          return files();
        },
      }),
    );
    return {
      notes,
      async document(findings, measured) {
        const readme = (await files(measuredOnnx(options, measured))).find(({ name }) => name === 'README.md');
        await writeWhole(join(path, 'README.md'), `${readme!.text.trimEnd()}\n${checkedSection(findings)}`);
      },
    };
  },
};

const kindsOf = ({ type }: Exporting['options']): OnnxKind[] => {
  const names = type?.map((name) => name.toLowerCase()) ?? ['fp32'];
  return ONNX_KINDS.filter((kind) => names.includes(kind));
};

/** For the README of the folder; undefined if nothing was measured. */
function measuredOnnx({ text }: Exporting['options'], measured: readonly MeasuredKind[]): OnnxMeasured | undefined {
  if (measured.length === 0) return undefined;
  const kinds = measured.map(({ type, perplexity, tokensPerSecond }) => [
    type,
    {
      ...(perplexity && { perplexity: Number(perplexity.ppl) }),
      ...(tokensPerSecond !== undefined && { tokensPerSecond: Number(tokensPerSecond) }),
    },
  ]);
  const processor = cpus().at(0)?.model.trim();
  return {
    ...(text !== undefined && { text: basename(text) }),
    machine: [...(processor ? [processor] : []), `onnxruntime ${onnxruntimeVersion()}`].join(', '),
    kinds: Object.fromEntries(kinds) as OnnxMeasured['kinds'],
  };
}

const checkedSection = (findings: readonly string[]): string =>
  findings.length === 0 ? '' : `\n## What was checked\n\n${findings.map((line) => `- ${line}`).join('\n')}\n`;

/** The Modelfile beside a GGUF file. */
export const modelfileOf = (out: string): string => `${out}.Modelfile`;

/** An Ollama Modelfile, which also says how llama.cpp runs the file. */
async function writeModelfile(out: string): Promise<void> {
  const facts = await ggufFacts(out);
  const commands = llamaCppCommands(facts).map((line) => `# ${line}`);
  const text = `${modelfileText(facts)}\n# With llama.cpp:\n${commands.join('\n')}\n`;
  await writeWhole(modelfileOf(out), signed(text, 'hash'));
}

/** "q8_0"; "stored" where each weight keeps its type. */
export const writtenType = ({ options: { type }, format }: Exporting): string =>
  type?.map((name) => name.toLowerCase()).join(',') ?? FORMATS[format].unnamed;

/** For the record. */
export function settingsOf(exporting: Exporting): Readonly<Record<string, unknown>> {
  const { options, format, opened, reduction, imatrix } = exporting;
  const { target, text, window, limit } = options;
  return {
    format,
    type: writtenType(exporting),
    removed: reduction.removed,
    ...(FORMATS[format].options.includes('target') && { target: target ?? 'cpu' }),
    ...(imatrix && { imatrix: imatrix.told }),
    ...(text !== undefined && { window, limit: limit ?? null }),
    ...widthSetting(opened.checkpoint),
    ...(opened.healed && { healed: opened.healed.note.digest }),
    ...(opened.adapter && { adapter: adapterDigest(opened.adapter) }),
  };
}
