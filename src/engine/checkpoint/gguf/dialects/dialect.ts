/**
 * One of llama.cpp's architectures, for reading and for writing. Each has its own file beside this one; index.ts lists them.
 * Facts of llama.cpp 0.5.0, of September 2026.
 */
import type { LinearName, Rope, Style } from '../../architecture';
import type { GgufArchitecture, OtherMixer } from '../shapes';
import type { GgufFields } from '../fields';
import type { GgufField } from '../../../formats/gguf/layout';
import type { OwnNames } from '../names';

export interface Dialect {
  /** `general.architecture`, which the keys of the model begin with. */
  readonly name: string;
  /** The family whose block is the same: a file is read as a model of it. */
  readonly family: string;
  /**
   * Whether a model is written in it. The last one of the list that fits is taken.
   * @param equal whether blocks differ in windows and rotations only
   */
  readonly fits: (architecture: GgufArchitecture, equal: boolean) => boolean;
  /** Heads, widths and biases may differ from block to block. */
  readonly perBlock?: true;
  /** It rotates neighbours, so that rows of q and k are in the order of pairs, as LLaMA's authors stored them. */
  readonly paired?: true;
  /** The Linears that may have a bias. */
  readonly biases: readonly LinearName[];
  /** All query heads together have to be as wide as the model. */
  readonly square?: true;
  /** Whether the head is the embedding's matrix; as the file has it when undefined. */
  readonly tied?: 'always' | 'never';
  /** Norms of queries and keys that every block has; by the tensors when undefined. */
  readonly qkNorm?: 'head' | 'width';
  /** Queries, keys and values lie in one matrix, gate and up in another. */
  readonly fused?: true;
  /** Gate and up of the FFN that every token has lie apart in files, and in one matrix in the model. */
  readonly joined?: true;
  /** Every block has experts. Dialects of one name differ in that. */
  readonly experts?: DialectExperts;
  /** What attention gives has a gate, which the queries' matrix makes. */
  readonly gated?: true;
  /** Some blocks have another mixer than attention. */
  readonly mixer?: DialectMixer;
  /** Names of tensors that are not the usual ones. */
  readonly names?: OwnNames;
  /** There are as many heads of keys and values as of queries. */
  readonly ungrouped?: true;
  /**
   * The windows of blocks; without them every block attends to all earlier positions. `unused`: a file says a width, or 0, to
   * older versions of llama.cpp only.
   */
  readonly windows?: DialectWindows | 'unused';
  readonly rotation?: DialectRotation;
  /** What differs from LLaMA's style whatever a file says. @param hidden width of the model */
  readonly style?: (hidden: number) => Partial<Style>;
  /** What a file says of the style. */
  readonly numbers?: readonly StyleNumber[];
  /**
   * The scores can have another factor than that of the heads' width, which a file says by the size of cosines. llama.cpp
   * takes hidden / heads for that width in the largest model, which it knows by the number of its blocks.
   */
  readonly scoresByCosines?: { readonly largest: number };
  /** What the metadata ask for that Coppice does not compute. */
  readonly refused?: (fields: GgufFields, has: (tensor: string) => boolean) => string | undefined;
  /** What config.json has beside the usual fields, or otherwise. @param rope of the blocks without a window */
  readonly config?: (architecture: GgufArchitecture, rope: Rope | null) => Readonly<Record<string, unknown>>;
}

export interface DialectExperts {
  /** What llama.cpp takes the softmax over, whatever a file says. */
  readonly weighs: 'all' | 'chosen';
  /** The field with the width of an expert. */
  readonly width: string;
  /** The field with the width of the FFN beside them, where there is one. */
  readonly shared?: string;
}

/** Another mixer than attention. */
export interface DialectMixer {
  readonly kind: OtherMixer['kind'];
  /** `attention.head_count_kv` lists a number for each block, 0 for one without attention. */
  readonly listed?: true;
  /** The mixers of blocks; undefined for one with attention alone. @throws UserError for a number that is missing or impossible */
  readonly read: (fields: GgufFields, of: MixedBlocks) => readonly (OtherMixer | undefined)[];
  /** What a file says of it. @param others one for each block; undefined for one with attention alone */
  readonly fields: (others: readonly (OtherMixer | undefined)[]) => readonly GgufField[];
  /** A mixer of this kind that llama.cpp computes otherwise: the reason. */
  readonly refused?: (mixer: OtherMixer) => string | undefined;
}

/** What the blocks of a file are read by. */
export interface MixedBlocks {
  readonly hidden: number;
  /** Heads of keys and values of each block. */
  readonly kvHeads: readonly number[];
}

export interface DialectWindows {
  /** Of as many blocks all but the last have one. */
  readonly period: number;
  /** Where the file is silent; none when undefined. */
  readonly width?: number;
}

export interface DialectRotation {
  /** Frequencies are divided by numbers of the file. */
  readonly factors?: true;
  /** They are divided by one of two lists; `only` is for a kind without a name: the file has no other. */
  readonly longrope?: 'named' | 'only';
  /** A part of a head may turn. */
  readonly partial?: true;
  /** A file says how streams of positions share the pairs that turn, in three numbers, and a fourth, 0. */
  readonly sections?: (turned: number) => readonly number[];
  /** No block may rotate, which a file says. */
  readonly none?: true;
  /** Every fourth block does not rotate. */
  readonly skips?: true;
  /** Blocks with a window turn by a base of their own, without scaling. */
  readonly local?: true;
}

/** A number of the style in a field of the file. */
export interface StyleNumber {
  readonly field: string;
  readonly of: 'scoreScale' | 'scoreCap' | 'embedScale' | 'residualScale' | 'logitScale' | 'logitCap';
  /** What llama.cpp takes where the field is missing, and never does without. */
  readonly usual?: number;
  /** What a missing field and 0 stand for; without this and `usual` the field is required. */
  readonly absent?: number | null | 'width of a head';
  /** The file has 1 / the number. */
  readonly inverse?: true;
}

/** Whether modules are LLaMA's, up to factors. */
export const isLikeLlama = ({ style, layers: [{ fused }] }: GgufArchitecture): boolean =>
  !fused && style.norms === 'before' && style.activation === 'silu';

export const hasFactors = ({
  style: { residualScale, scoreScale, embedScale, logitScale },
}: GgufArchitecture): boolean => residualScale !== 1 || scoreScale !== null || embedScale !== 1 || logitScale !== 1;
