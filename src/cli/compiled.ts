/**
 * Loads a program with what V8 compiled of it the last time. Parsing a bundle of 4 MB, and compiling the functions that run, takes more
 * than half of the time in which a short command answers.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import nodeModule, { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { Script, constants } from 'node:vm';
import { usualCache } from '../engine/files/cache';

/** What Node has from 22.1 on. */
interface WithCompileCache {
  readonly enableCompileCache?: (folder: string) => unknown;
}

/** What a bundle for Node is called with. */
type Program = (
  exports: object,
  require: NodeJS.Require,
  module: { exports: object },
  file: string,
  folder: string,
) => void;

/**
 * Runs a bundle in CommonJS. What was compiled is kept in the cache folder, below `compiled`; where that cannot be written, the program
 * is compiled each time.
 * @param file its absolute path
 * @param folder where compiled programs are kept
 */
export function loadCompiled(file: string, folder = join(usualCache(), 'compiled')): void {
  const { enableCompileCache } = nodeModule as WithCompileCache;
  const require = createRequire(file);
  if (enableCompileCache !== undefined) {
    enableCompileCache(folder);
    require(file);
    return;
  }
  const source = readFileSync(file, 'utf8');
  const kept = join(folder, nameOf(file, source));
  const cachedData = readIfThere(kept);
  const script = new Script(`(function (exports, require, module, __filename, __dirname) {${source}\n})`, {
    filename: file,
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    ...(cachedData && { cachedData }),
  });
  if (cachedData === undefined || script.cachedDataRejected) process.once('exit', () => keep(script, kept));
  const module = { exports: {} };
  (script.runInThisContext() as Program)(module.exports, require, module, file, dirname(file));
}

/** V8 compares no more than the length of a source: the name says all that has to be the same. */
function nameOf(file: string, source: string): string {
  const place = hashOf([process.version, process.arch, file]);
  return `${basename(file)}-${place}-${hashOf([source])}`;
}

const hashOf = (parts: readonly string[]): string =>
  createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 16);

function readIfThere(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}

/** Writes what was compiled, functions that ran included, in place of that of an earlier build. */
function keep(script: Script, file: string): void {
  const [folder, name] = [dirname(file), basename(file)];
  const place = name.slice(0, name.lastIndexOf('-'));
  const part = `.${name}.${process.pid}`;
  try {
    mkdirSync(folder, { recursive: true });
    try {
      writeFileSync(join(folder, part), script.createCachedData());
      renameSync(join(folder, part), file);
    } finally {
      rmSync(join(folder, part), { force: true });
    }
    for (const other of readdirSync(folder)) {
      if (other !== name && other.startsWith(place)) rmSync(join(folder, other), { force: true });
    }
  } catch {
    // It cannot be kept here: the next command compiles again.
  }
}
