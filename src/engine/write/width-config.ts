/**
 * How the config of a narrower model can describe it. If all blocks have the same widths, a class of transformers often
 * can: that of the original, or another one that computes the same. Otherwise the config lists the shape of each block
 * (checkpoint/ragged.ts), and only Coppice opens the checkpoint.
 */
import type { Architecture, LinearName } from '../checkpoint/architecture';
import { familyOfType } from '../checkpoint/families';
import { isSet, type Config } from '../checkpoint/fields';
import { plainLayer, type PlainShape, plainShape } from '../checkpoint/kinds/plain';
import { isRagged, RAGGED_FIELDS, raggedFields } from '../checkpoint/ragged';
import type { ConfigEdit } from './config';
import { classesFor, sayingOf, type StockClass } from './stock-classes';

export interface WidthDescription {
  /** The class of transformers that runs the model; null if there is none. */
  readonly runs: string | null;
  /** Why it is not the original's class; undefined if it is. */
  readonly why?: string;
  /** Linears whose bias is zero: the class knows them only together with others. */
  readonly zeros: readonly LinearName[];
  /** As it is read from the new config. Its blocks have the biases of `zeros` too. */
  readonly architecture: Architecture;
  /** Changes of the config, after those for removed blocks. */
  readonly edits: readonly ConfigEdit[];
}

/**
 * @param config of the original
 * @param architecture of the narrower model
 */
export function describeWidth(config: Config, architecture: Architecture): WidthDescription {
  const reasons: string[] = [];
  const shapes = architecture.layers.map(plainShape);
  if (!areUniform(shapes)) return ragged(architecture, 'its blocks differ in width');
  const [first] = shapes;
  for (const stock of classesFor(architecture)) {
    const saying = sayingOf(stock, architecture.hidden, first);
    if (typeof saying === 'string') {
      reasons.push(saying);
      continue;
    }
    const { biases, flags } = saying;
    const described = {
      ...architecture,
      family: stock.modelType,
      layers: shapes.map((shape) => plainLayer({ ...shape, biases })),
    };
    return {
      runs: stock.className,
      ...(reasons.length > 0 && { why: reasons.join('; ') }),
      zeros: biases.filter((name) => !first.biases.includes(name)),
      architecture: described,
      edits: stockEdits(config, architecture, stock, flags),
    };
  }
  return ragged(architecture, reasons.length > 0 ? reasons.join('; ') : `no class is known for ${architecture.family}`);
}

/** Heads, widths and biases of all blocks agree. Windows and rotation follow from the other fields. */
function areUniform([first, ...rest]: readonly PlainShape[]): boolean {
  const same = (shape: PlainShape): boolean =>
    shape.heads === first.heads &&
    shape.kvHeads === first.kvHeads &&
    shape.headDim === first.headDim &&
    shape.ffn === first.ffn &&
    shape.biases.join() === first.biases.join();
  return rest.every(same);
}

function ragged(architecture: Architecture, why: string): WidthDescription {
  const fields = raggedFields(architecture.family, architecture.layers);
  return {
    runs: null,
    why,
    zeros: [],
    architecture,
    // With it, transformers would run code of the original's authors, which knows no such shapes.
    edits: [...Object.entries(fields).map(([key, value]) => set(key, value)), remove('auto_map')],
  };
}

const WINDOWS = ['sliding_window', 'use_sliding_window', 'max_window_layers', 'layer_types'];

function stockEdits(
  config: Config,
  architecture: Architecture,
  { modelType, className, narrower: { without = {} } }: StockClass,
  flags: Readonly<Record<string, boolean>>,
): ConfigEdit[] {
  const { heads, kvHeads, headDim, ffn } = plainShape(architecture.layers[0]);
  const shape = {
    num_attention_heads: heads,
    num_key_value_heads: kvHeads,
    head_dim: headDim,
    intermediate_size: ffn,
  };
  const edits = Object.entries({ ...shape, ...flags }).map(([key, value]) => set(key, value));
  if (config.model_type === modelType) return edits;
  // Of the other class, what the config leaves out means something else.
  const said = { model_type: modelType, architectures: [className], tie_word_embeddings: architecture.tied };
  const unsaid = Object.entries(defaultsOf(architecture)).filter(([key]) => !isSaid(config, key));
  const isOther = modelType !== architecture.family;
  const gone = ['auto_map', ...(isRagged(config) ? RAGGED_FIELDS : []), ...(isOther ? WINDOWS : [])];
  return [
    ...gone.map(remove),
    ...Object.entries(said).map(([key, value]) => set(key, value)),
    ...unsaid.map(([key, value]) => set(key, value)),
    ...edits,
    ...(isOther ? Object.entries(without).map(([key, value]) => set(key, value)) : []),
  ];
}

/** No token is what null says; of other fields it says what their absence says. */
const isSaid = (config: Config, key: string): boolean =>
  key.endsWith('_token_id') ? key in config : isSet(config, key);

/** What a config of the model's own class means by leaving a field out. */
function defaultsOf({ family, context, rmsNormEps }: Architecture): Readonly<Record<string, unknown>> {
  const { bos = null, eos = null } = familyOfType(family)!.defaults;
  return {
    max_position_embeddings: context,
    rms_norm_eps: rmsNormEps,
    bos_token_id: bos,
    eos_token_id: eos,
    pad_token_id: null,
    attention_dropout: 0,
  };
}

const set = (key: string, value: unknown): ConfigEdit => ({ path: [key], kind: 'set', value });
const remove = (key: string): ConfigEdit => ({ path: [key], kind: 'remove' });
