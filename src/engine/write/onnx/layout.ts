/** Where the constants of a model lie in the files beside it. Every constant is whole in one file. */
import type { Rows } from '../../formats/tensor';
import type { BesideBytes } from '../../onnx/model-file';
import { onnxDataName } from './kinds';

/**
 * Constants are placed at multiples of this, the page size of most systems, so that onnxruntime can map a file instead of
 * reading it.
 */
const ALIGNMENT = 4096;

/**
 * Bytes of a file of external data, at most, unless a single constant is larger. Browsers keep a file in one array, and
 * arrays of 2 GiB were long the largest.
 */
const MAX_DATA_BYTES = 2_000_000_000;

/** Constants whose bytes are made together, some rows at a time: a matrix alone, or integers with their scales. */
export interface DataSource {
  /** Of the weight, for messages. */
  readonly name: string;
  readonly rows: number;
  /** Bytes of a row of each constant. */
  readonly rowBytes: readonly number[];
  /** The bytes of some rows of each constant. @throws UserError when a file cannot be read, or for a number that does not fit */
  readonly read: (rows: Rows) => Promise<readonly Uint8Array[]>;
}

/** A source and where its constants are. */
export interface PlacedSource extends DataSource {
  readonly places: readonly BesideBytes[];
}

/** A file of external data. */
export interface DataFile {
  readonly name: string;
  readonly bytes: number;
  /** Without the gaps between constants. */
  readonly content: number;
  readonly sources: readonly PlacedSource[];
}

export class DataFiles {
  private readonly sources: PlacedSource[][] = [];
  /** Bytes of each file. */
  private readonly sizes: number[] = [];

  /**
   * @param model name of the model's file
   * @param most bytes of a file, where its constants are not larger
   */
  constructor(
    private readonly model: string,
    private readonly most: number = MAX_DATA_BYTES,
  ) {}

  /** Finds places for the constants of `source`, in one file. */
  place(source: DataSource): readonly BesideBytes[] {
    const sizes = source.rowBytes.map((bytes) => bytes * source.rows);
    const needed = sizes.reduce((sum, bytes) => aligned(sum) + bytes, 0);
    const last = this.sizes.length - 1;
    const file = last >= 0 && aligned(this.sizes[last]) + needed <= this.most ? last : last + 1;
    let end = this.sizes[file] ?? 0;
    const places = sizes.map((bytes) => {
      const offset = aligned(end);
      end = offset + bytes;
      return { location: onnxDataName(this.model, file), offset, bytes };
    });
    this.sizes[file] = end;
    (this.sources[file] ??= []).push({ ...source, places });
    return places;
  }

  get files(): DataFile[] {
    return this.sources.map((sources, file) => ({
      name: onnxDataName(this.model, file),
      bytes: this.sizes[file],
      content: sources.flatMap(({ places }) => places).reduce((sum, { bytes }) => sum + bytes, 0),
      sources,
    }));
  }
}

const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
