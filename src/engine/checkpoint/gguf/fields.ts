/** Typed access to the metadata of a GGUF file: errors about a wrong type or an impossible number name file and key. */
import { printable } from '../../formats/bounded-json';
import type { GgufEntry } from '../../formats/gguf/metadata';
import { UserError } from '../../errors';

/** The metadata of one file, for one architecture. */
export class GgufFields {
  /**
   * @param file its name, for messages
   * @param architecture llama.cpp's, which the keys of the model begin with
   */
  constructor(
    private readonly metadata: ReadonlyMap<string, GgufEntry>,
    private readonly file: string,
    readonly architecture: string,
  ) {}

  /** The key of a field of the model. */
  key(field: string): string {
    return `${this.architecture}.${field}`;
  }

  has(field: string): boolean {
    return this.metadata.has(this.key(field));
  }

  isList(field: string): boolean {
    return typeof this.metadata.get(this.key(field))?.value === 'object';
  }

  /** A whole number from `least` to `most`. Without `fallback` the field is required. */
  count(field: string, most: number, fallback?: number, least = 1): number {
    return this.whole(this.key(field), this.metadata.get(this.key(field))?.value, { most, least }, fallback);
  }

  /** One number for all blocks, or a list with one for each, from `least` on. */
  counts(
    field: string,
    blocks: number,
    most: number,
    { fallback, least = 1 }: { readonly fallback?: readonly number[]; readonly least?: number } = {},
  ): readonly number[] {
    const key = this.key(field);
    const value = this.metadata.get(key)?.value;
    if (value === undefined && fallback) return fallback;
    if (typeof value !== 'object') {
      const same = this.count(field, most);
      return Array.from({ length: blocks }, () => same);
    }
    if (value.length !== blocks || value.first.length !== blocks) {
      throw this.bad(key, `it lists ${value.length} numbers for ${blocks} blocks`);
    }
    return value.first.map((each, i) => this.whole(`${key}[${i}]`, each, { most, least }));
  }

  /** A finite number above 0, or of 0 if `zero`. */
  number(field: string, fallback?: number, zero = false): number {
    const key = this.key(field);
    const { value, type } = this.metadata.get(key) ?? {};
    if (value === undefined && fallback !== undefined) return fallback;
    if (typeof value !== 'number' || !Number.isFinite(value) || value < 0 || (value === 0 && !zero)) {
      throw this.bad(key, value === undefined ? 'it is missing' : `${shown(value)} is not a number above 0`);
    }
    return type === 'f32' ? shortest(value) : value;
  }

  /** The value of a key that need not be there; undefined if it is not. */
  optional(key: string): GgufEntry['value'] | undefined {
    return this.metadata.get(key)?.value;
  }

  text(key: string): string | undefined {
    const value = this.metadata.get(key)?.value;
    if (value === undefined) return undefined;
    if (typeof value !== 'string') throw this.bad(key, `${shown(value)} is not a text`);
    return value;
  }

  bad(key: string, why: string, action = 'Download the file again, or convert the model again.'): UserError {
    return new UserError(`${this.file}: metadata "${printable(key, 80)}" is not valid`, why, action);
  }

  private whole(
    key: string,
    value: GgufEntry['value'] | undefined,
    { most, least }: { readonly most: number; readonly least: number },
    fallback?: number,
  ): number {
    if (value === undefined && fallback !== undefined) return fallback;
    if (value === undefined) throw this.bad(key, 'it is missing');
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least || value > most) {
      throw this.bad(key, `${shown(value)} is not a whole number from ${least} to ${most}`);
    }
    return value;
  }
}

const shown = (value: GgufEntry['value']): string =>
  typeof value === 'object' ? `a list of ${value.length}` : printable(String(value), 60);

/** The float32 number with as few digits as tell it apart: 1e-5 in place of 0.00000999999974. */
export function shortest(value: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === value) return rounded;
  }
  return value;
}
