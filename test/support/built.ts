/**
 * The project's programs as tests run them. `test/run.mjs` builds all of them once, for every part, in the folder COPPICE_TEST_BUILT; a
 * file that mocha runs alone builds what it needs.
 */
import { join, resolve } from 'node:path';
// @ts-expect-error -- plain JavaScript, shared with test/run.mjs
import * as build from './build.mjs';
import { temporaryFolder } from './temporary';

const { prepareFolder, buildInto } = build as {
  readonly prepareFolder: (folder: string) => void;
  readonly buildInto: (folder: string, programs: readonly string[]) => void;
};

type Program =
  'extension' | 'cli' | 'commands' | 'mcp' | 'sidecar' | 'tokenizer' | 'quantizer' | 'editor' | 'panel' | 'report';

let folder = process.env.COPPICE_TEST_BUILT;
const isWhole = folder !== undefined;
const there = new Set<Program>();

/** The folder of these programs, built if they are not; call it from a hook, for that takes about a second. */
export function built(...programs: readonly Program[]): string {
  if (folder === undefined) prepareFolder((folder = temporaryFolder()));
  const missing = programs.filter((program) => !isWhole && !there.has(program));
  if (missing.length > 0) buildInto(folder, missing);
  for (const program of missing) there.add(program);
  return join(folder, 'dist');
}

/** Where a built program finds onnxruntime. */
export const nodePath = resolve(import.meta.dirname, '../../node_modules');
