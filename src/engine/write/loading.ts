/** What a model card says about widths: how narrow the model is, and which programs open it. */
import { formatLayerNumber, layerNumber } from '../checkpoint/layer-numbers';
import { requireArchitecture } from '../checkpoint/open';
import { isRagged } from '../checkpoint/ragged';
import type { Checkpoint } from '../checkpoint/types';
import { groupsOf } from '../checkpoint/width';
import { denseOf } from '../checkpoint/kinds/parts';
import { plainShape } from '../checkpoint/kinds/plain';
import { narrowedConfig } from './planned-model';

/** Which programs open a written checkpoint. */
export interface Loading {
  /** A class of transformers runs it. */
  readonly isStock: boolean;
  /** For the card; ends with a full stop. */
  readonly sentence: string;
}

/** @param kept blocks of the source that the written checkpoint has */
export function loadingOf(source: Checkpoint, kept: readonly number[]): Loading {
  const described = narrowedConfig(source, kept);
  if (described === undefined && !isRagged(source.config ?? {})) {
    const part =
      source.others && source.prefix === undefined
        ? ' as the language model alone; the vision part of the original is not in it'
        : '';
    return { isStock: true, sentence: `It loads in stock transformers${part}.` };
  }
  if (described === undefined || described.runs === null) {
    const why = described?.why ?? 'its blocks differ in width';
    return {
      isStock: false,
      sentence: `Only Coppice opens it (${why}); other programs refuse it, because they do not know the type "coppice" in its config.`,
    };
  }
  const { runs, why, zeros } = described;
  const other = why === undefined ? '' : `, as ${runs}, which computes the same (${why})`;
  const biases =
    zeros.length === 0
      ? ''
      : ` Biases of ${zeros.map((name) => `${name}_proj`).join(', ')} are zero; the class has them only together with others.`;
  return { isStock: true, sentence: `It loads in stock transformers${other}.${biases}` };
}

/** "Its blocks keep 1–2 of 2 groups of attention heads and 60–96 of 96 neurons."; undefined for the full width. */
export function widthSentence({ narrowing }: Checkpoint): string | undefined {
  if (!narrowing) return undefined;
  const { layers } = requireArchitecture(narrowing.from);
  const { layers: kept } = narrowing.width;
  const range = (counts: readonly number[]): string => formatLayerNumber(layerNumber(counts));
  const groups = `${range(kept.map((each) => each.groups.length))} of ${range(layers.map(plainShape).map(groupsOf))}`;
  const neurons = `${range(kept.map((each) => each.neurons.length))} of ${range(layers.map((layer) => denseOf(layer).width))}`;
  return `Its blocks keep ${groups} groups of attention heads and ${neurons} neurons.`;
}
