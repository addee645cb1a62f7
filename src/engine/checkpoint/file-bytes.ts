/**
 * How many bytes the files of a model have. Every size that Coppice announces or reports is one of files, with headers,
 * metadata and tokenizer, never of tensors alone, so that it is the size that the user finds on the disk.
 */
import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode } from '../errors';
import type { FileStamp } from '../files/stamps';
import { findAccompanyingFiles } from './accompanying-files';

export interface FileBytes {
  /** Of all files: weights with their headers, config, tokenizer, model card, record. */
  readonly all: number;
  /** Those that a model which is made from it does not take over: the card, the record, the index of its shards. */
  readonly own: number;
}

/** Of the card and the record of a model that Coppice writes, about. Their paths and texts differ from run to run. */
export const NOTES_BYTES = 4 * 2 ** 10;

/** Of the record in the metadata of a GGUF file that Coppice writes, about. */
export const GGUF_NOTES_BYTES = 2 * 2 ** 10;

const CARD = 'README.md';
const RECORD = 'coppice.json';

/**
 * @param stamps of the weights, and of the config if there is one
 * @param index name of the index of the shards
 */
export async function folderBytes(
  folder: string,
  stamps: readonly Pick<FileStamp, 'bytes'>[],
  index?: string,
): Promise<FileBytes> {
  const { found } = await findAccompanyingFiles(folder);
  const own = await Promise.all(
    [CARD, RECORD, ...(index === undefined ? [] : [index])].map((name) => sizeOf(folder, name)),
  );
  return { all: sum([...stamps, ...found].map(({ bytes }) => bytes)) + sum(own), own: sum(own) };
}

/** Of a model that is nothing but these files. */
export const filesBytes = (files: readonly Pick<FileStamp, 'bytes'>[]): FileBytes => ({
  all: sum(files.map(({ bytes }) => bytes)),
  own: 0,
});

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

async function sizeOf(folder: string, name: string): Promise<number> {
  let stats: Stats;
  try {
    stats = await stat(join(folder, name));
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return 0;
  }
  return stats.isFile() ? stats.size : 0;
}
