/** Describes a checkpoint, from its headers only. */
import { nameOfGguf } from '../../engine/checkpoint/gguf/name';
import { openGgufSummary } from '../../engine/checkpoint/gguf/summary';
import { formatLayerNumber, type LayerNumber } from '../../engine/checkpoint/layer-numbers';
import { openCheckpoint } from '../../engine/checkpoint/open';
import { type Summary, summarize } from '../../engine/checkpoint/summary';
import { isGguf } from '../../engine/formats/gguf/file';
import { formatBytes, formatCount, formatShare } from '../../format/numbers';
import { checkpoint } from '../../jobs/option';
import { checkpointName } from '../../jobs/titles';
import { l10n } from '../../l10n';
import { answerText, inLine, type Piece } from '../answer';
import { inputSchema, readInput } from '../input';
import type { AgentTool } from '../tool';

const NAME = 'coppice_inspect';

const options = {
  checkpoint: checkpoint('folder, .safetensors file, index or .gguf file of the model', { required: true }),
};

export const inspect: AgentTool = {
  name: NAME,
  title: () => l10n.t('Inspect Checkpoint'),
  description:
    'Describes a language model on the disk: architecture, number of blocks, parameters, bytes, types, context. Reads ' +
    'only the headers of its files, so it is fast for any size. Use it first: it says whether the model can be pruned, and ' +
    'how much each block weighs.',
  input: inputSchema(options),
  effect: 'reads',
  async run(input, { paths, budget, signal }) {
    const { checkpoint: path } = await readInput(NAME, options, input, paths);
    return answerText(pageOf(await summaryOf(path as string, signal)), budget);
  },
};

async function summaryOf(path: string, signal: AbortSignal): Promise<Summary & { readonly name: string }> {
  if (!(await isGguf(path))) return { ...summarize(await openCheckpoint(path, signal)), name: checkpointName(path) };
  return { ...(await openGgufSummary(path)).summary, name: nameOfGguf(path) };
}

function pageOf(summary: Summary & { readonly name: string }): Piece[] {
  const { name, path, format, architecture, blocks, parameters, bytes, dtypes, unsupported, notes } = summary;
  const types = Object.keys(dtypes).join(', ');
  return [
    `${inLine(name)}: ${inLine(architecture ?? 'unknown architecture')}, ${blocks ?? 'unknown number of'} blocks, ` +
      `${formatCount(parameters)} parameters, ${formatBytes(bytes)} (${format}, ${types})`,
    `path: ${path}`,
    ...shapeLines(summary),
    ...weightLines(summary),
    unsupported
      ? `Coppice can only show it: ${inLine(unsupported.why)}. ${unsupported.action}`
      : 'It can be scored, pruned, healed, evaluated and exported.',
    ...notes.map((note) => `Note: ${inLine(note)}`),
  ];
}

function shapeLines({ hidden, heads, kvHeads, ffn, vocabulary, context, tied, traits }: Summary): string[] {
  const shape: [string, LayerNumber | null][] = [
    ['hidden size', hidden],
    ['heads', heads],
    ['key-value heads', kvHeads],
    ['FFN', ffn],
    ['vocabulary', vocabulary],
    ['context in tokens', context],
  ];
  const known = shape.flatMap(([name, value]) =>
    value === null ? [] : [`${name} ${formatLayerNumber(value, formatCount)}`],
  );
  const special = Object.entries(traits).map(([name, words]) => `${name}: ${inLine(words)}`);
  return [
    ...(known.length > 0 ? [known.join(', ')] : []),
    ...special,
    ...(tied === null ? [] : [tied ? 'head and embedding share one matrix' : 'head and embedding are two matrices']),
  ];
}

/** What a block weighs decides how many of them a target needs. */
function weightLines({ blockParameters, parameters }: Summary): string[] {
  if (blockParameters.length === 0) return [];
  const all = blockParameters.reduce((sum, count) => sum + count, 0);
  const mean = all / blockParameters.length;
  return [
    `a block has ${formatCount(Math.round(mean))} parameters on average, ${formatShare(mean, parameters)} of all; ` +
      `all blocks together ${formatShare(all, parameters)}`,
  ];
}
