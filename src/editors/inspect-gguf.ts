/** Describes a GGUF file for the editor, from the readable part of its header. */
import { basename, resolve } from 'node:path';
import { openGguf, type GgufFile } from '../engine/formats/gguf/file';
import type { GgufEntry } from '../engine/formats/gguf/metadata';
import { openGgufSummary, summarizeGguf } from '../engine/checkpoint/gguf/summary';
import { elements } from '../engine/checkpoint/parameters';
import { UserError } from '../engine/errors';
import { l10n } from '../l10n';
import type { Property, TensorRow } from '../protocol/editor';
import { formatCount } from '../format/numbers';
import { actionsOf, cut, factsOf, textProperty } from './facts';
import type { Inspection } from './inspection';
import { noteOf, problemOf } from './problems';
import { sizeStripOf } from './size-strip';

const KEPT_PROBLEMS = 100;

export async function inspectGguf(path: string): Promise<Inspection> {
  const errors: UserError[] = [];
  let gguf: GgufFile | undefined;
  try {
    gguf = await openGguf(path, (problem) => errors.push(problem));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    errors.push(error);
  }
  const whole = errors.length === 0;
  const summary = gguf && (whole ? (await openGgufSummary(path)).summary : summarizeGguf(gguf));
  const rows = gguf ? rowsOf(gguf) : [];
  const notes = whole ? (summary?.notes ?? []) : [];
  return {
    description: {
      name: basename(path),
      format: gguf && gguf.version > 0 ? l10n.t('GGUF version {0}', gguf.version) : 'GGUF',
      facts: summary ? factsOf(summary) : [],
      ...(summary && whole && { actions: actionsOf(summary) }),
      problems: [...errors.slice(0, KEPT_PROBLEMS).map(problemOf), ...notes.map(noteOf)],
      problemCount: errors.length + notes.length,
      strip: sizeStripOf(rows),
      config: [],
      metadata: cut(gguf ? [...gguf.metadata.values()].map(propertyOf) : []),
      shards: gguf ? [{ name: basename(resolve(path)), bytes: gguf.bytes, tensors: rows.length }] : [],
      tensors: rows.length,
      ...(!whole && { noStatistics: l10n.t('Statistics are not available for a damaged file.') }),
    },
    rows,
  };
}

function rowsOf(gguf: GgufFile): TensorRow[] {
  const known = gguf.dataStart > 0; // unknown if the list of tensors is truncated
  return gguf.tensors.map(({ name, dtype, shape, bytes, offset }) => {
    const file = basename(gguf.path);
    return { name, dtype, shape, elements: elements(shape), bytes, offset: known ? offset : null, file };
  });
}

function propertyOf({ key, type, value, bytes }: GgufEntry): Property {
  if (typeof value !== 'object') {
    const text = String(value);
    if (bytes !== undefined && bytes > text.length && bytes > Buffer.byteLength(text)) {
      return { ...textProperty(key, text), note: l10n.t('first part of {0} bytes', formatCount(bytes)) };
    }
    return textProperty(key, text, type);
  }
  const { of, length, first } = value;
  const shown = first.map((item) => (typeof item === 'string' ? JSON.stringify(item) : String(item)));
  return {
    name: key,
    value: `[${shown.join(', ')}${first.length < length ? ', …' : ''}]`,
    note: `${formatCount(length)} × ${of}`,
  };
}
