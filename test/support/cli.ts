/** What tests of the command line work with: a toy checkpoint with a tokenizer, calibration rows and a text. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildCli, coppice, jsonOf } from './built-cli';
import { temporaryFolder } from './temporary';
import { tinyCheckpoint } from './tiny-models';

export type Json = Record<string, unknown>;

export interface CliMaterial {
  readonly model: string;
  /** 4 rows of 24 tokens. */
  readonly rows: string;
  readonly text: string;
}

/** Builds the program too; call it from a hook. */
export function makeCliMaterial(): CliMaterial {
  buildCli();
  const model = tinyCheckpoint('llama-gqa-tied', { tokenizer: true });
  const folder = temporaryFolder();
  const rows = join(folder, 'rows.json');
  const row = (seed: number): number[] => Array.from({ length: 24 }, (_, i) => 3 + ((i * 37 + seed * 101) % 250));
  writeFileSync(rows, JSON.stringify({ rows: [0, 1, 2, 3].map(row) }));
  const text = join(folder, 'text.txt');
  writeFileSync(text, 'The river bends, and the mill stands where it always stood.\n\n'.repeat(30));
  return { model, rows, text };
}

/** Runs a command that must succeed; the object that it prints. */
export const run = async (...args: string[]): Promise<Json> => jsonOf(await coppice([...args, '--json']));

export const readJson = (file: string): Json => JSON.parse(readFileSync(file, 'utf8')) as Json;
export const keys = (value: unknown): string[] => Object.keys(value as object).sort();
export const sorted = (names: string): string[] => names.split(' ').sort();
