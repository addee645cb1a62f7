/** Reads a note in a safetensors header: JSON under a key of its own, bounded, with a version. */
import { isObject, type JsonObject } from '../../format/json';
import { JsonProblem, parseBoundedJson, printable } from '../formats/bounded-json';
import { DamagedFile } from '../formats/damage';

/** A kind of note. */
export interface NoteKind {
  /** Key among the header's metadata. */
  readonly key: string;
  readonly version: number;
  readonly limits: Parameters<typeof parseBoundedJson>[1];
  readonly maxCharacters: number;
  /** What a file with such a note is: "a file of healed weights". */
  readonly file: string;
  /** What to do about a bad one. */
  readonly action: string;
}

export interface OpenNote {
  readonly note: JsonObject;
  /** The error for a field that is wrong. */
  readonly bad: (why: string) => DamagedFile;
}

/**
 * @param file names the file in messages
 * @throws DamagedFile for a note that is missing, too long, no JSON object, or of another version
 */
export function openNote(metadata: Readonly<Record<string, string>>, kind: NoteKind, file: string): OpenNote {
  const { key, version, limits, maxCharacters, action } = kind;
  const bad = (why: string): DamagedFile => new DamagedFile(file, `the note "${key}" in its header`, why, action);
  if (!Object.hasOwn(metadata, key)) throw bad(`it is missing: this is not ${kind.file}`);
  const text = metadata[key];
  if (text.length > maxCharacters) throw bad(`it has ${text.length} characters, far more than any note`);
  let note: unknown;
  try {
    note = parseBoundedJson(Buffer.from(text), limits);
  } catch (error) {
    if (error instanceof JsonProblem) throw bad(error.message);
    throw error;
  }
  if (!isObject(note)) throw bad('it is not a JSON object');
  if (note.version !== version) {
    throw bad(`version is ${printable(JSON.stringify(note.version) ?? 'missing', 20)}, this program reads ${version}`);
  }
  return { note, bad };
}
