/**
 * Checkpoints whose blocks differ in heads, widths or biases, which no class of transformers can describe. Their
 * config.json keeps every field of the original's, but names the type "coppice", which other programs do not know and
 * therefore refuse. `coppice_family` says whose rules hold (names of weights, windows, rotation), `coppice_layers` the
 * shape of each block.
 */
import { isObject } from '../../format/json';
import { counted } from '../../format/words';
import { MAX_DIMENSION } from '../formats/limits';
import { type LayerShape, type LinearName, LINEARS_IN_ORDER } from './architecture';
import { badField, count, isSet, show, type Config } from './fields';
import { plainLayer, type PlainShape, plainShape } from './kinds/plain';

/** `model_type` and `architectures` of such a checkpoint. */
const RAGGED_TYPE = 'coppice';
const RAGGED_CLASS = 'CoppiceForCausalLM';

const FAMILY = 'coppice_family';
const LAYERS = 'coppice_layers';

/** Fields that no other config has. */
export const RAGGED_FIELDS: readonly string[] = [FAMILY, LAYERS];

/** An entry of `coppice_layers`. */
interface RaggedLayer {
  readonly heads: number;
  readonly kv_heads: number;
  readonly head_dim: number;
  readonly ffn: number;
  /** Linears with a bias. */
  readonly biases: readonly LinearName[];
}

/** Whether the config lists a shape for each block. */
export const isRagged = (config: Config): boolean => config.model_type === RAGGED_TYPE;

/** The type of the family whose rules hold, and the field that names it. */
export function familyField(config: Config): 'model_type' | typeof FAMILY {
  if (!isRagged(config)) return 'model_type';
  if (!isSet(config, FAMILY)) throw badField(FAMILY, 'it is missing', 'Copy the config.json again.');
  return FAMILY;
}

/**
 * The blocks with the shapes that the config lists. What it does not list is as in `layers`, by the rules of the family.
 * @throws UserError that names a field which is missing or impossible
 */
export function raggedLayers(config: Config, layers: readonly LayerShape[]): readonly LayerShape[] {
  const list = config[LAYERS];
  if (!Array.isArray(list) || list.length !== layers.length) {
    const found = Array.isArray(list) ? `it has ${counted(list.length, 'shape')}` : 'it is not a list of shapes';
    throw badField(LAYERS, `${found}, and the model has ${counted(layers.length, 'block')} (num_hidden_layers)`);
  }
  return layers.map((shape, i) => plainLayer({ ...plainShape(shape), ...readLayer(list[i], `${LAYERS}[${i}]`) }));
}

/** @param at its place in the config, for messages */
function readLayer(entry: unknown, at: string): Pick<PlainShape, 'heads' | 'kvHeads' | 'headDim' | 'ffn' | 'biases'> {
  if (!isObject(entry)) throw badField(at, `${show(entry)} is not an object`);
  const number = (name: keyof RaggedLayer, most: number): number => {
    const field = `${at}.${name}`;
    return count({ [field]: entry[name] }, field, most);
  };
  const heads = number('heads', MAX_DIMENSION.heads);
  const kvHeads = number('kv_heads', MAX_DIMENSION.heads);
  const headDim = number('head_dim', MAX_DIMENSION.headDim);
  const ffn = number('ffn', MAX_DIMENSION.ffn);
  if (heads % kvHeads !== 0) {
    throw badField(
      `${at}.kv_heads`,
      `${counted(kvHeads, 'key-value head')} cannot be shared by ${counted(heads, 'query head')}`,
    );
  }
  if (headDim % 2 !== 0) throw badField(`${at}.head_dim`, `a head of ${headDim} cannot be rotated in pairs`);
  return { heads, kvHeads, headDim, ffn, biases: readBiases(entry.biases, `${at}.biases`) };
}

function readBiases(value: unknown, field: string): LinearName[] {
  const names: unknown[] = Array.isArray(value) ? value : [value];
  const odd = names.find((name, i) => !LINEARS_IN_ORDER.includes(name as LinearName) || names.indexOf(name) !== i);
  if (!Array.isArray(value) || odd !== undefined) {
    throw badField(field, `${show(odd)} is not one of ${LINEARS_IN_ORDER.join(', ')}, each at most once`);
  }
  return LINEARS_IN_ORDER.filter((name) => names.includes(name));
}

/** The fields by which `raggedLayers` finds these blocks again. */
export function raggedFields(family: string, layers: readonly LayerShape[]): Readonly<Record<string, unknown>> {
  const entries = layers.map(plainShape).map(({ heads, kvHeads, headDim, ffn, biases }): RaggedLayer => {
    return { heads, kv_heads: kvHeads, head_dim: headDim, ffn, biases };
  });
  return { model_type: RAGGED_TYPE, architectures: [RAGGED_CLASS], [FAMILY]: family, [LAYERS]: entries };
}
