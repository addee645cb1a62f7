/** Counts the bytes of files that the engine reads: itself, and those of weights that onnxruntime maps for a graph. */
import { basename } from 'node:path';
import { RegularFile } from '../../src/engine/files/regular-file';
import { Graph } from '../../src/engine/onnx/graph';

/** Bytes by the name of their file. */
export type Reads = ReadonlyMap<string, number>;

/** @returns what `use` reads; of a graph each initializer once, which its session copies from the mapped file */
export async function readsOf(use: () => Promise<unknown>): Promise<Reads> {
  const reads = new Map<string, number>();
  const note = (file: string, bytes: number): void => {
    const name = basename(file);
    reads.set(name, (reads.get(name) ?? 0) + bytes);
  };
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its file
  const { readInto, readSome } = RegularFile.prototype;
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its graph
  const { external } = Graph.prototype;
  const own = new WeakSet<RegularFile>();
  const pathOf = (file: RegularFile): string => Reflect.get(file, 'path') as string;
  RegularFile.prototype.readInto = async function (this: RegularFile, buffer, position) {
    note(pathOf(this), buffer.length);
    own.add(this);
    await readInto.call(this, buffer, position);
    own.delete(this);
  };
  RegularFile.prototype.readSome = function (this: RegularFile, buffer, length, position) {
    const read = readSome.call(this, buffer, length, position);
    if (!own.has(this)) note(pathOf(this), read);
    return read;
  };
  const named = new WeakMap<Graph, Set<string>>();
  Graph.prototype.external = function (this: Graph, name, type, shape, at) {
    const names = named.get(this) ?? new Set();
    named.set(this, names);
    if (!names.has(name)) note(at.file, at.bytes);
    names.add(name);
    return external.call(this, name, type, shape, at);
  };
  try {
    await use();
    return reads;
  } finally {
    Object.assign(RegularFile.prototype, { readInto, readSome });
    Graph.prototype.external = external;
  }
}
