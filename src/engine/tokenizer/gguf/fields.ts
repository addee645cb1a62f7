/** The metadata `tokenizer.…` of a GGUF file by type. What a file says wrongly is a `UserError` that names file and key. */
import { UserError } from '../../errors';
import { printable } from '../../formats/bounded-json';
import { DamagedFile } from '../../formats/damage';
import { type GgufFile, openGguf } from '../../formats/gguf/file';
import type { GgufArray, GgufEntry, GgufScalar } from '../../formats/gguf/metadata';
import { basename } from 'node:path';
import { TOKENIZER_CAP } from '../limits';

export const KEYS = {
  model: 'tokenizer.ggml.model',
  pre: 'tokenizer.ggml.pre',
  tokens: 'tokenizer.ggml.tokens',
  types: 'tokenizer.ggml.token_type',
  scores: 'tokenizer.ggml.scores',
  merges: 'tokenizer.ggml.merges',
  template: 'tokenizer.chat_template',
  stored: 'tokenizer.huggingface.json',
} as const;

const WHOLE: readonly string[] = [KEYS.tokens, KEYS.types, KEYS.scores, KEYS.merges, KEYS.template, KEYS.stored];
const ACTION = 'Download or copy the file again. If the problem persists, convert the model again.';
const INSTEAD = 'Open the original model in safetensors with its tokenizer.json, or give token ids instead of text.';

/** The metadata names a tokenizer that Coppice does not have. */
export class UnsupportedTokenizer extends UserError {
  constructor(file: string, why: string, action = INSTEAD) {
    super(`Cannot use the tokenizer of ${file}`, why, action);
  }
}

/** The metadata of one file. */
export class TokenizerFields {
  private constructor(private readonly gguf: GgufFile) {}

  /**
   * Reads the header of the file at `path`.
   * @param whole keys whose lists and long texts are needed
   * @throws UserError
   */
  static async read(path: string, whole = WHOLE): Promise<TokenizerFields> {
    return new TokenizerFields(await openGguf(path, undefined, (key) => whole.includes(key)));
  }

  get path(): string {
    return this.gguf.path;
  }

  has(key: string): boolean {
    return this.gguf.metadata.has(key);
  }

  /** The error for a wrong value of `key`. */
  damaged(key: string, why: string): DamagedFile {
    const { path, metadata } = this.gguf;
    return new DamagedFile(basename(path), `metadata "${key}"`, why, ACTION, metadata.get(key)?.offset);
  }

  /** A text of at most `cap` bytes. */
  text(key: string, cap = TOKENIZER_CAP): string | undefined {
    const entry = this.entry(key);
    if (entry === undefined) return undefined;
    if (typeof entry.value !== 'string') throw this.damaged(key, `it is ${typeWords(entry)}, not a text`);
    const { value, bytes = 0 } = entry;
    if (bytes > cap) throw this.damaged(key, `it has ${bytes} bytes, more than ${cap}`);
    return value;
  }

  flag(key: string): boolean | undefined {
    const entry = this.entry(key);
    if (entry === undefined || typeof entry.value === 'boolean') return entry?.value as boolean | undefined;
    throw this.damaged(key, `it is ${typeWords(entry)}, not true or false`);
  }

  /** A whole number that is not negative. */
  count(key: string): number | undefined {
    const entry = this.entry(key);
    if (entry === undefined) return undefined;
    const { value } = entry;
    if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value;
    throw this.damaged(key, `it is ${typeof value === 'number' ? value : typeWords(entry)}, not a whole number`);
  }

  /** A list of texts that have at most `cap` characters together. */
  texts(key: string, cap: number): readonly string[] {
    const { of, length, first } = this.list(key);
    if (of !== 'string') throw this.damaged(key, `it is a list of ${of}, not of texts`);
    const texts = first as readonly string[];
    const characters = texts.reduce((sum, text) => sum + text.length, 0);
    if (characters > cap) {
      throw this.damaged(key, `its ${length} texts have ${characters} characters, more than ${cap}`);
    }
    return texts;
  }

  /** A list of `length` numbers: one for each token. */
  numbers(key: string, length: number): readonly number[] {
    const list = this.list(key);
    if (list.length !== length) throw this.damaged(key, `it has ${list.length} items, and there are ${length} tokens`);
    const bad = list.first.findIndex((value) => typeof value !== 'number' || !Number.isFinite(value));
    if (bad >= 0) throw this.damaged(key, `its item ${bad} is ${shown(list.first[bad])}, not a number`);
    if (list.first.length !== length) throw this.damaged(key, `it is a list of ${list.of}, not of numbers`);
    return list.first as readonly number[];
  }

  private list(key: string): GgufArray {
    const entry = this.entry(key);
    if (entry === undefined) throw this.damaged(key, 'it is missing');
    if (typeof entry.value !== 'object') throw this.damaged(key, `it is ${typeWords(entry)}, not a list`);
    return entry.value;
  }

  private entry(key: string): GgufEntry | undefined {
    return this.gguf.metadata.get(key);
  }
}

const typeWords = ({ type }: GgufEntry): string => (type === 'array' ? 'a list' : `of type ${type}`);

/** A value in a message. */
export const shown = (value: GgufScalar): string =>
  typeof value === 'string' ? `"${printable(value, 60)}"` : value.toString();
