/** Exports and their verification: what the jobs return. */
import type { ExportFormat } from '../engine/write/formats';
import type { FinerTypes } from '../engine/write/gguf/finer';
import type { JsonNumber } from '../format/json';

/** How far the logits of a file are from those of the model that it was written from. */
export interface ComparedResult {
  readonly positions: number;
  /** Largest difference of two logits. */
  readonly maxDifference: JsonNumber;
  /** Length of the difference beside that of the logits. */
  readonly relative: JsonNumber;
  /** In nats. */
  readonly meanKl: JsonNumber;
  /** Share of positions with the same most likely token. */
  readonly top1: number;
  readonly greedy: TokensResult;
}

/** A continuation beside the model's own. */
export interface TokensResult {
  readonly tokens: number;
  readonly equal: boolean;
  /** The first token that differs, from 0; absent if all are equal. */
  readonly firstDifference?: number;
}

/** How a written model compares with its source, and whether that is accepted. */
export interface VerifiedResult extends ComparedResult {
  /** All weights; absent for ONNX. */
  readonly weights?: { readonly tensors: number; readonly maxDifference: JsonNumber; readonly wrong?: string };
  /** Whether the file has the numbers of the model, so that the logits must be the same. */
  readonly exact: boolean;
  /** The largest difference that is accepted: of two logits if exact, else the relative one. */
  readonly tolerance: number;
  readonly passed: boolean;
  readonly why?: string;
  /** Each kind of an ONNX folder; the numbers above are the worst of them. */
  readonly kinds?: readonly KindResult[];
  /** Files that the record names with their SHA-256; `changed` are those that have another one. */
  readonly files?: { readonly checked: number; readonly changed: readonly string[] };
}

/** One kind of an ONNX folder. */
export interface KindResult extends ComparedResult {
  readonly kind: string;
  readonly exact: boolean;
  readonly tolerance: number;
  readonly passed: boolean;
  readonly why?: string;
}

/** What the written files themselves say to a text, and how fast they write. */
export interface MeasuredKind {
  /** Type, or kind of an ONNX model. */
  readonly type: string;
  readonly perplexity?: { readonly ppl: JsonNumber; readonly meanNll: JsonNumber; readonly tokens: number };
  /** Greedy decoding. */
  readonly tokensPerSecond?: JsonNumber;
}

/** Another program that ran the file. Its tokens are compared up to the first that is nearly as likely as another. */
export interface ConsumerResult extends Partial<TokensResult> {
  readonly name: string;
  readonly version?: string;
  /** Kind of an ONNX model, file name of a GGUF. */
  readonly of: string;
  readonly seconds: number;
  /** Why it did not run; absent if it did. */
  readonly failure?: string;
}

/** A file of an export. */
export interface ExportedFile {
  /** Below the folder, or the file's own name. */
  readonly name: string;
  readonly bytes: number;
  /** Of the files of a folder. */
  readonly sha256?: string;
}

/** What was written, and how it compares with the model. */
export interface ExportResult {
  readonly format: ExportFormat;
  /** "q8_0", "fp32,q4"; "stored" where each weight keeps its type. */
  readonly type: string;
  /** Absolute. */
  readonly out: string;
  /** Of all files. */
  readonly bytes: number;
  readonly files: readonly ExportedFile[];
  /** Changed matrices of a GGUF file that are kept in finer types than they had. */
  readonly finer?: FinerTypes;
  readonly removed: readonly number[];
  readonly parametersBefore: number;
  readonly parametersAfter: number;
  /** Null if it was not asked for. */
  readonly verified: VerifiedResult | null;
  readonly measured?: readonly MeasuredKind[];
  readonly consumers?: readonly ConsumerResult[];
  readonly seconds: number;
}

/** How an exported model compares with the model that it was written from. */
export interface VerifyResult {
  readonly format: ExportFormat;
  /** Absolute. */
  readonly out: string;
  /** The model that it was compared with. */
  readonly against: string;
  readonly removed: readonly number[];
  readonly verified: VerifiedResult;
  readonly consumers: readonly ConsumerResult[];
  readonly seconds: number;
}
