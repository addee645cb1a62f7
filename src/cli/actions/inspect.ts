/** `coppice inspect`: describes a checkpoint from its headers only. */
import { isGguf } from '../../engine/formats/gguf/file';
import { formatLayerNumber, layerNumber, type LayerNumber } from '../../engine/checkpoint/layer-numbers';
import { nameOfGguf } from '../../engine/checkpoint/gguf/name';
import { openGgufSummary } from '../../engine/checkpoint/gguf/summary';
import { openCheckpoint } from '../../engine/checkpoint/open';
import { type Summary, summarize } from '../../engine/checkpoint/summary';
import { modelInput, type RunInput } from '../../engine/records/record';
import type { Outcome, Shell } from '../execute';
import { savingWords } from '../../jobs/saving-words';
import { formatBytes, formatCount } from '../../format/numbers';
import { facts } from '../terminal/text';

export async function inspect(path: string, shell: Shell): Promise<Outcome> {
  const { summary, input } = (await isGguf(path)) ? await openedGguf(path) : await opened(path);
  for (const note of summary.notes) shell.note(note);
  return {
    json: { ...summary },
    page: page(summary, shell),
    run: { inputs: [input], settings: {} },
  };
}

interface Inspected {
  readonly summary: Summary;
  readonly input: RunInput;
}

async function opened(path: string): Promise<Inspected> {
  const checkpoint = await openCheckpoint(path);
  return { summary: summarize(checkpoint), input: modelInput(checkpoint) };
}

async function openedGguf(path: string): Promise<Inspected> {
  const { summary } = await openGgufSummary(path);
  return { summary, input: { role: 'model', name: nameOfGguf(path), identity: summary.identity } };
}

const COPPICE_ONLY = ', with a list of the shapes of its blocks; only Coppice opens it';

function page(summary: Summary, shell: Shell): string[] {
  const { blocks, heads, kvHeads, headDim, blockParameters: perBlock, unsupported } = summary;
  const optional = (name: string, value: LayerNumber | null): [string, string][] =>
    value === null ? [] : [[name, formatLayerNumber(value, formatCount)]];
  const saving = savingWords(summary);
  const types = Object.entries(summary.dtypes).map(([dtype, count]) => `${dtype} ${formatCount(count)}`);
  return facts([
    ['path', shell.shown(summary.path)],
    ['format', summary.shards > 1 ? `${summary.format}, ${summary.shards} files` : summary.format],
    [
      'architecture',
      `${shell.style.bold(shell.shown(summary.architecture ?? 'unknown'))}${summary.coppiceOnly ? COPPICE_ONLY : ''}`,
    ],
    ...optional('blocks', blocks),
    ['parameters', formatCount(summary.parameters)],
    ...(perBlock.length > 0 ? optional('a block', layerNumber(perBlock)) : []),
    ['size', formatBytes(summary.bytes)],
    ...(saving === undefined ? [] : [['blocks can go', saving] as const]),
    ['types', types.join(', ') || 'no tensors'],
    ...optional('hidden', summary.hidden),
    ...(heads === null ? [] : [['heads', headsOf(heads, kvHeads, headDim)] as const]),
    ...Object.entries(summary.traits),
    ...optional('ffn', summary.ffn),
    ...optional('vocabulary', summary.vocabulary),
    ...optional('context', summary.context),
    ...(summary.tied === null
      ? []
      : [['tied', summary.tied ? 'yes, head and embedding share one matrix' : 'no'] as const]),
    ['usable', unsupported ? `inspection only: ${shell.shown(unsupported.why)}` : 'yes'],
  ]);
}

function headsOf(heads: LayerNumber, kvHeads: LayerNumber | null, headDim: LayerNumber | null): string {
  const isShared = kvHeads !== null && String(kvHeads) !== String(heads);
  const shared = isShared ? `, ${formatLayerNumber(kvHeads)} for keys and values` : '';
  return `${formatLayerNumber(heads)}${shared}${headDim === null ? '' : `, ${formatLayerNumber(headDim)} wide`}`;
}
