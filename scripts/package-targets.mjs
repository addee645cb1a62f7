/**
 * The platforms that the extension is packed for, and what each gets of onnxruntime. A platform has a package if
 * onnxruntime-node has binaries for it: 1.30 has none for Macs with an Intel processor (darwin-x64).
 */
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');

/** Where onnxruntime-node has its binaries: below it a folder of the platform, below that one of the processor. */
const BINARIES = 'node_modules/onnxruntime-node/bin/napi-v6';

/** Every platform of desktop VS Code that Coppice means to support, in VS Code's words. */
export const PLATFORMS = ['linux-x64', 'linux-arm64', 'darwin-arm64', 'darwin-x64', 'win32-x64', 'win32-arm64'];

/**
 * Files of onnxruntime that a package does without.
 * - macOS: its library lies there twice, and the binding loads the one with the short name.
 * - Windows: with DirectML.dll the package has more than 30 MB. onnxruntime loads it when DirectML is asked for and
 *   not before, and takes the one of Windows where it has none beside itself. The CPU and WebGPU never need it.
 */
const LEFT_OUT = /^(libonnxruntime\.\d+\.\d+\.\d+\.dylib|DirectML\.dll)$/;

/** @returns {string[]} the platforms that this onnxruntime-node has binaries for */
export const packable = () => PLATFORMS.filter((target) => runtimeFiles(target).length > 0);

/** @returns {string[]} files of onnxruntime for a platform, relative to the repository; none if it has no binaries */
export function runtimeFiles(target) {
  const folder = `${BINARIES}/${target.replace('-', '/')}`;
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder))
    .filter((name) => !LEFT_OUT.test(name))
    .map((name) => `${folder}/${name}`);
}
