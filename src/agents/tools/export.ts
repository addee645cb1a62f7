/** Writes a model for an application. */
import type { Checkpoint } from '../../engine/checkpoint/types';
import { UserError } from '../../engine/errors';
import { JOBS } from '../../jobs/definitions';
import { formatOf } from '../../jobs/definitions/export';
import type { ExportFormat } from '../../engine/write/formats';
import { changesIn, type OnTop, writtenBytes } from '../../estimates/written-bytes';
import { l10n } from '../../l10n';
import { askWriting, modelWords, nameOf, opened } from '../confirm';
import { chosen } from '../input';
import { jobTool } from '../job-tool';

export const exportModel = jobTool({
  name: 'coppice_export',
  kind: 'export',
  title: () => l10n.t('Export for an Application'),
  description:
    'Writes a model in the format of the program that runs it: gguf (llama.cpp, Ollama; types such as q8_0, q4_k_m), onnx ' +
    '(onnxruntime, transformers.js; fp32, q4 …) or safetensors (bf16 …); then opens what it wrote and compares it with ' +
    'the model. A result that differs by more than its type rounds is not left behind. The source never changes.',
  effect: 'writes',
  options: chosen(JOBS.export.options, {
    checkpoint: 'the model',
    out: 'the new file (gguf: it ends in .gguf) or folder; it must not exist',
    format: 'safetensors, gguf or onnx',
    type: true,
    remove: 'leave out these blocks: [10, 12]',
    heal: 'with the healed weights of this file (.patch.safetensors)',
    adapter: 'with this LoRA adapter in the weights',
    imatrix:
      'round types of few bits by importance: auto, with a calibration text, or an importance matrix of llama.cpp',
    calibration: 'with imatrix auto: a text like what the application sends',
    modelfile: true,
    text: true,
    limit: true,
  }),
  ask: async (given, context) => {
    const { checkpoint } = await opened(String(given.checkpoint), context.signal);
    const removed = ((given.remove ?? []) as (number | string)[]).filter((part) => typeof part === 'number');
    const types = (given.type ?? []) as readonly string[];
    const out = String(given.out);
    const format = formatOf({ format: given.format as ExportFormat | undefined, out });
    const onTop = { heal: given.heal as string | undefined, adapter: given.adapter as string | undefined };
    const weighed = given.imatrix !== undefined;
    const bytes = format && (await sizeOf(checkpoint, { format, types, removed, onTop, weighed }, context.signal));
    const title = l10n.t('Export {0}?', nameOf(checkpoint));
    const lines = [
      l10n.t('Reads {0}.', modelWords(checkpoint)),
      ...(types.length > 0 ? [l10n.t('Type of the weights: {0}.', types.join(', '))] : []),
    ];
    return askWriting(title, lines, { out, bytes, job: { kind: 'export', options: given } }, context);
  },
});

interface Wanted {
  readonly format: ExportFormat;
  readonly types: readonly string[];
  readonly removed: readonly number[];
  readonly onTop: OnTop;
  /** Whether an importance matrix guides the rounding. */
  readonly weighed: boolean;
}

/** Undefined for what cannot be written: the job says why. */
async function sizeOf(
  checkpoint: Checkpoint,
  { format, types, removed, onTop, weighed }: Wanted,
  signal: AbortSignal,
): Promise<number | undefined> {
  try {
    const wanted = types.length === 0 ? [undefined] : types.map((type) => type.toLowerCase());
    const found = await changesIn(checkpoint, onTop, { signal });
    const all = [...new Set([...removed, ...found.removed])].sort((a, b) => a - b);
    const changed = found.changed.length > 0 ? found.changed : undefined;
    const sizes = await Promise.all(
      wanted.map((type) => writtenBytes(checkpoint, { format, type, removed: all, changed, weighed })),
    );
    return sizes.reduce((sum, bytes) => sum + bytes, 0);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
