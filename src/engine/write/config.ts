/**
 * What removing blocks changes in a `config.json`. The rule, for the top level and for nested objects that describe the
 * same stack of blocks (`text_config`, `rope_parameters`, …; not the configs of other towers):
 * - `num_hidden_layers` equal to L becomes the number of kept blocks;
 * - a list of exactly L entries is per layer and loses the entries of removed blocks, unless its key says that it
 * counts something else (token ids, class names, frequencies, …);
 * - under a key that speaks of layers, ascending integers that are block numbers are renumbered;
 * - `max_window_layers` becomes the number of kept blocks below it;
 * - what the family says by a rule for each block is written out as a list, so that all readers agree. A config that
 * ties a head which differs from the embedding is corrected. Everything else remains unchanged, including the spelling
 * of numbers, because readers distinguish 8.0 from 8.
 */
import { isObject } from '../../format/json';
import type { Architecture } from '../checkpoint/architecture';
import { textConfig, writtenPrefix } from '../checkpoint/text-part';
import { familyOf } from '../checkpoint/families';

/** One change, at `path` from the top of the config. */
export type ConfigEdit =
  /** A value that JSON can say. */
  | { readonly path: readonly string[]; readonly kind: 'set'; readonly value: unknown }
  | { readonly path: readonly string[]; readonly kind: 'remove' }
  /** The entries to keep of the list at `path`, in order. */
  | { readonly path: readonly string[]; readonly kind: 'keep'; readonly indices: readonly number[] }
  | { readonly path: readonly string[]; readonly kind: 'renumber'; readonly value: readonly number[] };

/** Lists under these keys have a length with another meaning, even if it happens to be L. */
const NOT_PER_LAYER =
  /token|^architectures$|module|label|language|tags|_factor$|_limit$|_multipliers$|section|image|auto_map/;
/** Under these keys, integers may be block numbers. */
const SPEAKS_OF_LAYERS = /layers?(_|$)|^full_attn_idxs$/;
/** Fields that tie the head to the embedding. */
const TIES = ['tie_word_embeddings', 'tie_embedding'];
/** Nested configs of other models than the language model. */
const OTHER_TOWER = /^(?!(text|llm|language|decoder)_config$).*_config$/;

type Config = Readonly<Record<string, unknown>>;

/** The edits for keeping the blocks `kept` (ascending) of a model with this config. */
export function configEdits(config: Config, architecture: Architecture, kept: readonly number[]): ConfigEdit[] {
  return [...headEdits(config, architecture), ...layerEdits(config, architecture, kept)];
}

/** The edits that follow from the removal of blocks. */
function layerEdits(config: Config, architecture: Architecture, kept: readonly number[]): ConfigEdit[] {
  const edits: ConfigEdit[] = [];
  visit(config, [], { blocks: architecture.layers.length, kept }, edits);
  const fields = familyOf(architecture).prunedConfig?.(config, architecture.layers, kept) ?? {};
  for (const [key, value] of Object.entries(fields)) {
    edits.push({ path: [key], kind: 'set', value });
  }
  return edits;
}

/**
 * Marks the head as untied, if the config ties it but the weights hold a different one. All readers of the new
 * checkpoint then agree.
 */
export function headEdits(config: Config, { tied }: Architecture): ConfigEdit[] {
  if (tied) return [];
  return TIES.filter((key) => config[key] === true).map((key) => ({ path: [key], kind: 'set', value: false }));
}

interface Removal {
  /** Number of blocks before the removal. */
  readonly blocks: number;
  readonly kept: readonly number[];
}

function visit(object: Config, at: readonly string[], removal: Removal, edits: ConfigEdit[]): void {
  const { blocks, kept } = removal;
  for (const [key, value] of Object.entries(object)) {
    const path = [...at, key];
    if (key === 'num_hidden_layers') {
      if (value === blocks) edits.push({ path, kind: 'set', value: kept.length });
    } else if (key === 'max_window_layers') {
      // A number above L means "no block", before and after.
      if (typeof value === 'number' && value >= 0 && value <= blocks) {
        edits.push({ path, kind: 'set', value: kept.filter((block) => block < value).length });
      }
    } else if (Array.isArray(value)) {
      visitList(key, value, path, removal, edits);
    } else if (isObject(value) && !OTHER_TOWER.test(key)) {
      visit(value, path, removal, edits);
    }
  }
}

function visitList(key: string, list: unknown[], path: readonly string[], removal: Removal, edits: ConfigEdit[]): void {
  if (NOT_PER_LAYER.test(key)) return;
  const { blocks, kept } = removal;
  if (SPEAKS_OF_LAYERS.test(key) && areBlockNumbers(list, blocks)) {
    const renumbered = list.map((block) => kept.indexOf(block as number)).filter((block) => block >= 0);
    edits.push({ path, kind: 'renumber', value: renumbered });
  } else if (list.length === blocks) {
    edits.push({ path, kind: 'keep', indices: kept });
  }
}

/** Whether the entries are strictly ascending block numbers. Two entries [0, 1] of a 2-block model are flags. */
function areBlockNumbers(list: readonly unknown[], blocks: number): boolean {
  if (list.length === 0 || (list.length === blocks && blocks <= 2)) return false;
  return list.every(
    (entry, i) =>
      Number.isInteger(entry) && (entry as number) < blocks && (entry as number) > (i === 0 ? -1 : Number(list[i - 1])),
  );
}

/** Marks a number literal that was put in quotes; the bare word Infinity is one, which JSON has not. */
const MARK = '\u0000';
const STRING_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?(?:\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|Infinity)/g;
const MARKED_NUMBER = /"\\u0000(-?(?:\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|Infinity))"/g;

/** The text of the config after `edits`. Number literals that are not edited keep their spelling. */
export function editConfigText(text: string, edits: readonly ConfigEdit[]): string {
  const quoted = text
    .replace(/^\uFEFF/, '')
    .replace(STRING_OR_NUMBER, (token) => (token.startsWith('"') ? token : JSON.stringify(MARK + token)));
  const stored = JSON.parse(quoted) as Record<string, unknown>;
  const isInPlace = writtenPrefix(stored) !== undefined;
  const config = isInPlace ? stored : { ...textConfig(stored) };
  // The edits are those of the language model's own config.
  for (const edit of edits) apply(isInPlace ? (config.text_config as Record<string, unknown>) : config, edit);
  return `${JSON.stringify(config, null, 2).replace(MARKED_NUMBER, '$1')}\n`;
}

function apply(config: Record<string, unknown>, edit: ConfigEdit): void {
  const parent = edit.path.slice(0, -1).reduce((object, key) => object[key] as Record<string, unknown>, config);
  const key = edit.path[edit.path.length - 1];
  if (edit.kind === 'remove') Reflect.deleteProperty(parent, key);
  else parent[key] = edit.kind === 'keep' ? edit.indices.map((i) => (parent[key] as unknown[])[i]) : edit.value;
}
