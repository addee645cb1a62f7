/**
 * Writes a checkpoint that is used narrower than it is stored as a checkpoint of its own. Numbers do not change: rows and
 * columns that stay keep their values and types. Where the widths of all blocks agree, stock transformers runs it
 * (width-config.ts).
 */
import { requireArchitecture } from '../checkpoint/open';
import { checkpointReduction } from '../checkpoint/reduction';
import type { Checkpoint } from '../checkpoint/types';
import { widthSetting } from '../checkpoint/width';
import { denseOf } from '../checkpoint/kinds/parts';
import type { WeightDtype } from '../formats/dtype';
import { calibrationsOf } from '../records/calibrations';
import { modelInput, newRecord } from '../records/record';
import { hexOf } from '../weights/width-note';
import { inheritedFields } from './card';
import { loadingOf } from './loading';
import { writeModified } from './modified';
import { narrowedConfig } from './planned-model';
import { widthCard } from './width-card';
import type { WriteOptions, Written } from './write-checkpoint';

/** How the width was found, for card and record. */
export interface WidthFacts {
  /** "llm-pruner", "flap", "wanda-sp". */
  readonly method: string;
  /** As it was asked for, or as it was found for a size. */
  readonly ratio?: number;
  /** Names of the texts that the method looked at. */
  readonly calibration?: readonly string[];
  /** Mean token loss of the narrower model on these, and its perplexity. */
  readonly meanNll?: number;
  readonly ppl?: number;
  /** What the method could not do as asked. */
  readonly warnings?: readonly string[];
}

export interface WidthOptions extends WriteOptions {
  readonly facts: WidthFacts;
  /** The type of all weights in the new checkpoint; each keeps its own when undefined. */
  readonly dtype?: WeightDtype;
}

export interface WidthSizes {
  readonly parametersBefore: number;
  /** Of the narrower model, without biases that are zero. */
  readonly parametersAfter: number;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

export interface WidthResult extends Written, WidthSizes {
  /** The class of transformers that runs it; null if only Coppice opens it. */
  readonly runs: string | null;
  /** Which programs open it, in a sentence. */
  readonly loading: string;
  readonly seconds: number;
}

/**
 * Writes the narrowed checkpoint to the folder `out`, which must not exist. Its record is of kind "width".
 * @param checkpoint from `narrowCheckpoint`
 * @throws UserError when it cannot be written or a bias is out of range for its type; CancelledError. No partial output
 *   remains
 */
export async function writeWidth(checkpoint: Checkpoint, out: string, options: WidthOptions): Promise<WidthResult> {
  const { narrowing } = checkpoint;
  if (!narrowing) throw new Error('the checkpoint has its full width');
  const { facts, dtype, provenance = {} } = options;
  const { started = new Date(), settings = {} } = provenance;
  const clock = performance.now();
  const before = checkpointReduction(narrowing.from, []);
  const layerSizes = (after: WidthSizes): WidthSizes => ({
    parametersBefore: before.parametersBefore,
    parametersAfter: after.parametersAfter,
    bytesBefore: before.bytesBefore,
    bytesAfter: after.bytesAfter,
  });
  const all = [...requireArchitecture(checkpoint).layers.keys()];
  const loading = loadingOf(checkpoint, all);
  const runs = narrowedConfig(checkpoint, all)?.runs ?? null;
  const inputs = [modelInput(narrowing.from), ...(provenance.inputs ?? []), ...(await calibrationsOf(checkpoint))];
  const inherited = await inheritedFields(checkpoint);
  const whole = requireArchitecture(narrowing.from).layers;
  // Neurons as in the file of a width: lists would be most of the record.
  const layers = narrowing.width.layers.map(({ groups, neurons }, i) => {
    return { groups, neurons: neurons.length, mask: hexOf(neurons, denseOf(whole[i]).width) };
  });
  const { calibration: _, ...results } = facts;
  const written = await writeModified(
    checkpoint,
    {
      removed: [],
      changes: [],
      dtype,
      notes: { 'coppice.narrowed': narrowing.digest },
      card: (reduction) =>
        Promise.resolve(widthCard(checkpoint, { facts, sizes: layerSizes(reduction), loading, settings, inherited })),
      record: (reduction) =>
        newRecord({
          ...provenance,
          kind: 'width',
          inputs,
          settings: { ...settings, dtype, ...widthSetting(checkpoint) },
          results: { ...results, ...layerSizes(reduction), runs, layers },
          started,
        }),
    },
    out,
    options,
  );
  return {
    ...layerSizes(written),
    out: written.out,
    leftBehind: written.leftBehind,
    record: written.record,
    runs,
    loading: loading.sentence,
    seconds: (performance.now() - clock) / 1000,
  };
}
