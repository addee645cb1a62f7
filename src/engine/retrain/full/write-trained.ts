/** Writes the checkpoint of a full-parameter training, and its model card. */
import { createHash } from 'node:crypto';
import type { WeightDtype } from '../../formats/dtype';
import { requireArchitecture } from '../../checkpoint/open';
import type { Checkpoint } from '../../checkpoint/types';
import { type Architecture, withLayers } from '../../checkpoint/architecture';
import { keptBlocks } from '../../checkpoint/block-list';
import { weightKeys, weightOf } from '../../checkpoint/weight-key';
import type { PatchFile } from '../../weights/patch-file';
import type { KeyedPatch } from '../../weights/patches';
import { cardFront, inheritedFields, settingsTable } from '../../write/card';
import { describeReduction, type Reduction } from '../../checkpoint/reduction';
import type { WriteOptions, Written } from '../../write/write-checkpoint';
import { inline } from '../../markdown';
import { counted } from '../../../format/words';
import { modelName, type RunRecord } from '../../records/record';
import type { Parameters } from '../loop/adamw';
import { loadingOf, widthSentence } from '../../write/loading';
import { writeModified } from '../../write/modified';

export interface TrainedCheckpointOptions extends WriteOptions {
  readonly removed: readonly number[];
  readonly dtype?: WeightDtype;
  readonly fromScratch: boolean;
  /** The trained blocks, by their numbers in the new checkpoint; undefined when every weight was trained. */
  readonly trained?: readonly number[];
  /** The healed weights that training started from; weights that were not trained keep them. */
  readonly healed?: Pick<PatchFile, 'note' | 'patches'>;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly record: (reduction: Reduction) => RunRecord;
}

/**
 * Writes `source` with the trained parameters in place of its weights to the folder `out`, which must not exist.
 * @param parameters by their names in the new checkpoint
 * @throws UserError when it cannot be written or a number is out of range for its type; CancelledError
 */
export async function writeTrainedCheckpoint(
  source: Checkpoint,
  parameters: Parameters,
  out: string,
  options: TrainedCheckpointOptions,
): Promise<Reduction & Written> {
  const digest = createHash('sha256');
  for (const [name, { values }] of parameters) {
    digest.update(name).update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  const modification = {
    removed: options.removed,
    changes: [options.healed?.patches ?? [], trainedPatches(requireArchitecture(source), options.removed, parameters)],
    dtype: options.dtype,
    notes: {
      'coppice.trained': digest.digest('hex'),
      ...(options.healed && { 'coppice.healed': options.healed.note.digest }),
    },
    card: async (reduction: Reduction) => trainedCard(source, reduction, options, await inheritedFields(source)),
    record: options.record,
  };
  return writeModified(source, modification, out, options);
}

/** The trained parameters in the place of the source's weights. */
export function* trainedPatches(
  whole: Architecture,
  removed: readonly number[],
  parameters: Parameters,
): Generator<KeyedPatch> {
  const kept = keptBlocks(whole.layers.length, removed);
  const pruned = withLayers(whole, kept);
  for (const key of weightKeys(pruned)) {
    const values = parameters.get(weightOf(pruned, key)!.name)?.values;
    const ofSource = typeof key === 'string' ? key : { ...key, layer: kept[key.layer] };
    if (values) yield [ofSource, { kind: 'replace', values }];
  }
}

function trainedCard(
  source: Checkpoint,
  reduction: Reduction,
  { fromScratch, trained, settings }: TrainedCheckpointOptions,
  inherited: readonly string[],
): string {
  const name = inline(modelName(source));
  const { removed, kept } = reduction;
  const before = removed.length + kept.length;
  const what = removed.length > 0 ? `${name} without ${removed.length} of its ${before} Transformer blocks` : name;
  const title = `${name}${removed.length > 0 ? `, ${kept.length} of ${before} blocks` : ''}, ${fromScratch ? 'trained from scratch' : 'trained further'}`;
  const tags = [...(removed.length > 0 ? ['pruned', 'depth-pruning'] : []), 'coppice'];
  const loading = loadingOf(source, kept);
  const narrower = widthSentence(source);
  return `${cardFront(source, fromScratch ? ['coppice'] : tags, fromScratch ? [] : inherited, loading)}
# ${title}

${
  fromScratch
    ? `This model has the architecture and the tokenizer of ${what}, and weights of its own: Coppice trained them from\nrandom ones.`
    : `This is ${what}, trained further by Coppice: ${trained ? `the weights of ${counted(trained.length, 'block')} (${trained.join(', ')})` : 'all its weights'}.`
}
${removed.length > 0 ? `\n\`\`\`\n${describeReduction(reduction).join('\n')}\n\`\`\`\n` : ''}
${narrower === undefined ? '' : `${narrower}\n`}${loading.sentence} \`coppice.json\` is the record of the run that made it, with every step's loss. Measure it
on your own texts before you use it.

${settingsTable('How it was trained', settings)}The method is that of *Shortened LLaMA: A Simple Depth Pruning for Large Language Models* (Kim et al., 2024,
arXiv:2402.02834).
`;
}
