/**
 * A GPU for tests on machines that have none: SwiftShader, the Vulkan device in software that Chromium carries. It is
 * taken out of an npm package that repacks Chromium (7 MB of its 67), once, and kept in the user's cache.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';

const PACKAGE = '@sparticuz/chromium@153.0.0';
const SHA256 = '20e5656fcdcf4118ede85edfb9d6bb9cc1bbb7ffb8b75622fffbcf36a835c3c0';
const MEMBER = 'package/bin/swiftshader.tar.br';
const MAX_ARCHIVE_BYTES = 64 * 1024 * 1024;
const PATIENCE_MS = 120_000;

/**
 * What the environment of a process must hold from its start to see the device: the loader's folder is read only then.
 * Where the device cannot be had, it says why, and the tests are skipped. COPPICE_TEST_VULKAN names the manifest of another
 * Vulkan device that this system's loader finds, such as Mesa's lvp_icd.json, which has half precision.
 * @returns {Record<string, string>}
 */
export function softwareGpuEnvironment() {
  const manifest = process.env.COPPICE_TEST_VULKAN;
  if (manifest) return { VK_ICD_FILENAMES: manifest, COPPICE_TEST_WEBGPU: '1' };
  try {
    const folder = swiftShaderFolder();
    const others = process.env.LD_LIBRARY_PATH;
    return {
      LD_LIBRARY_PATH: others ? `${folder}:${others}` : folder,
      VK_ICD_FILENAMES: join(folder, 'vk_swiftshader_icd.json'),
      COPPICE_TEST_WEBGPU: '1',
    };
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
    return { COPPICE_TEST_WEBGPU_MISSING: why };
  }
}

/** @returns {string} the folder with the device's library and its manifest */
function swiftShaderFolder() {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(`there is no such package for ${process.platform}-${process.arch}`);
  }
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'coppice-test');
  const folder = join(cache, `swiftshader-${PACKAGE.split('@').at(-1)}`);
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, 'unpacking-'));
  try {
    const devices = join(work, 'devices');
    mkdirSync(devices);
    execFileSync('tar', ['x', '-C', devices], { input: brotliDecompressSync(fetchArchive(work)) });
    renameInto(devices, folder);
    return folder;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The compressed archive out of the package, whose bytes must be the known ones. */
function fetchArchive(work) {
  const args = ['pack', PACKAGE, '--silent', '--ignore-scripts', '--pack-destination', work];
  const packed = spawnSync('npm', args, { cwd: work, encoding: 'utf8', timeout: PATIENCE_MS });
  if (packed.status !== 0) throw new Error(`npm cannot fetch ${PACKAGE}: ${packed.stderr.trim().split('\n').at(-1)}`);
  const file = join(work, packed.stdout.trim().split('\n').at(-1));
  const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex');
  if (sha256 !== SHA256) throw new Error(`${PACKAGE} is not what it was: SHA-256 ${sha256}`);
  return execFileSync('tar', ['xzOf', file, MEMBER], { maxBuffer: MAX_ARCHIVE_BYTES });
}

/** Two runs may unpack at once; the second leaves what the first has put there. */
function renameInto(from, folder) {
  try {
    renameSync(from, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
  }
}
