/**
 * Bundles the program of tokenizers' processes, once a test process: hundreds of tests start one, and from source each
 * start takes half a second.
 */
import { execFileSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { setTokenizerProgram } from '../../src/engine/tokenizer/running';
import { temporaryFolder } from './temporary';

const root = resolve(import.meta.dirname, '../..');
const folder = temporaryFolder();
execFileSync(process.execPath, [join(root, 'esbuild.mjs'), 'tokenizer', `--outdir=${folder}`], { cwd: root });
setTokenizerProgram(join(folder, 'tokenizer.cjs'));
