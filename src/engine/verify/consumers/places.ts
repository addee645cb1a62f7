/**
 * Where programs and packages of others may come from: Coppice's own installation, the places that npm and Python install
 * into for all projects, and a folder that the user names. Never the current folder or that of a model, which may be
 * someone else's, with files of these names.
 */
import { existsSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, delimiter, dirname, isAbsolute, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isObject } from '../../../format/json';
import { isInside } from '../../files/paths';
import { readSmallFile } from '../../files/regular-file';

const MODULES = 'node_modules';
const isWindows = process.platform === 'win32';

export interface Package {
  /** Of the module for `import`. */
  readonly file: string;
  /** The folder of the package. */
  readonly folder: string;
  readonly version?: string;
}

/** Of a manifest. */
const MOST_BYTES = 2 ** 20;

/** @param from a folder that the user names */
export async function findPackage(name: string, from?: string): Promise<Package | undefined> {
  for (const modules of new Set([...named(from), ...ownModules(), ...globalModules()])) {
    const found = await packageIn(modules, name);
    if (found) return found;
  }
  return undefined;
}

async function packageIn(modules: string, name: string): Promise<Package | undefined> {
  let folder: string;
  let file: string;
  try {
    folder = realpathSync(join(modules, name));
    // A package that is asked from within finds itself, or else what lies above it: that is not taken.
    file = realpathSync(createRequire(join(folder, 'package.json')).resolve(name));
  } catch {
    return undefined; // it is not installed there
  }
  if (!isInside(file, folder)) return undefined;
  const version = await versionOf(folder);
  return { file: file.replace(/\.node\.cjs$/, '.node.mjs'), folder, ...(version !== undefined && { version }) };
}

async function versionOf(folder: string): Promise<string | undefined> {
  try {
    const manifest: unknown = JSON.parse((await readSmallFile(join(folder, 'package.json'), MOST_BYTES)).toString());
    return isObject(manifest) && typeof manifest.version === 'string' ? manifest.version : undefined;
  } catch {
    return undefined; // only its number is missing
  }
}

function named(from: string | undefined): string[] {
  if (from === undefined) return [];
  const folder = resolve(from);
  return basename(folder) === MODULES ? [folder] : [join(folder, MODULES)];
}

/** The packages of Coppice, and those that are installed beside it. */
function ownModules(): string[] {
  let root = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(root, 'package.json')) && dirname(root) !== root) root = dirname(root);
  const beside = dirname(root);
  return [join(root, MODULES), ...(basename(beside) === MODULES ? [beside] : [])];
}

/** NODE_PATH, and where npm installs globally. */
function globalModules(): string[] {
  const { NODE_PATH = '', APPDATA } = process.env;
  const homes = [dirname(process.execPath), ...programFolders()].filter((folder) => existsSync(join(folder, NODE)));
  return [
    ...NODE_PATH.split(delimiter).filter(isAbsolute),
    ...(isWindows && APPDATA !== undefined && isAbsolute(APPDATA) ? [join(APPDATA, 'npm', MODULES)] : []),
    ...homes.map((folder) => (isWindows ? join(folder, MODULES) : join(folder, '..', 'lib', MODULES))),
  ];
}

const NODE = isWindows ? 'node.exe' : 'node';

/**
 * PATH without what is relative, as it would be that of the current folder, and without the folders of packages that npm
 * puts before it for a project.
 */
const programFolders = (env = process.env): string[] =>
  (env.PATH ?? '').split(delimiter).filter((folder) => isAbsolute(folder) && !folder.split(/[/\\]/).includes(MODULES));

const PYTHON = isWindows ? 'python.exe' : 'python3';

/** Absolute, so that no folder is searched when it starts. @param from a folder that the user names, as of `venv` */
export function findPython(from?: string): string | undefined {
  const own = from === undefined ? [] : [join(resolve(from), isWindows ? 'Scripts' : 'bin')];
  return [...own, ...programFolders()].map((folder) => join(folder, PYTHON)).find((file) => existsSync(file));
}

/**
 * A program on the PATH, absolute.
 * @param name without the end that Windows gives it
 * @param from a folder that the user names
 */
export const findProgram = (name: string, env = process.env, from?: string): string | undefined =>
  [...(from === undefined ? [] : [resolve(from), join(resolve(from), 'bin')]), ...programFolders(env)]
    .map((folder) => join(folder, isWindows ? `${name}.exe` : name))
    .find((file) => existsSync(file));

/** A folder as it is shown: that of a package without the package's name. */
export const placeOf = ({ folder }: Package): string => {
  const at = folder.lastIndexOf(`${sep}${MODULES}${sep}`);
  return at < 0 ? folder : folder.slice(0, at + 1 + MODULES.length);
};
