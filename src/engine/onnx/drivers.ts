/**
 * Checks for missing parts of a provider without starting it: the build of onnxruntime, its files, and the drivers on
 * the disk. A trial costs a process, and most machines have no GPU.
 */
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { knownProviders, onnxruntimeFile, type Provider } from './session';
import { option, set } from '../option-token';

export interface MissingPart {
  readonly why: string;
  readonly action: string;
  /** The provider belongs to another platform, so its absence needs no explanation. */
  readonly elsewhere?: boolean;
}

const PLATFORMS: Partial<Record<Provider, string>> = { dml: 'Windows', coreml: 'macOS', cuda: 'Linux and Windows' };

/** The part that `provider` lacks; undefined when none is known to be missing. */
export function missingPart(provider: Provider): MissingPart | undefined {
  if (!knownProviders().includes(provider)) {
    const where = PLATFORMS[provider];
    return {
      why: `onnxruntime does not have this provider on ${process.platform}-${process.arch}${where ? `; it works on ${where}` : ''}`,
      action: `${set('device', 'auto')} or ${option('device', 'cpu')}.`,
      elsewhere: true,
    };
  }
  if (provider === 'cuda' && !hasCudaLibrary()) {
    return {
      why: 'the CUDA part of onnxruntime is not installed',
      action:
        'Run `npm rebuild onnxruntime-node` with ONNXRUNTIME_NODE_INSTALL=cuda12, or ' + `${set('device', 'cpu')}.`,
    };
  }
  if (provider === 'dml' && !hasDirectML()) {
    return {
      why: 'DirectML.dll is neither beside onnxruntime nor in Windows',
      action: `${set('device', 'webgpu')}, or install Coppice by npm, which brings it.`,
    };
  }
  if (provider === 'webgpu' && process.platform === 'linux' && !hasVulkanDriver()) {
    return {
      why: 'no Vulkan driver is installed',
      action: `Install the GPU's Vulkan driver (Mesa's or the vendor's), or ${set('device', 'cpu')}.`,
    };
  }
  return undefined;
}

/** Where the libraries of onnxruntime are. */
function libraryFolder(): string {
  return join(dirname(onnxruntimeFile()), '..', 'bin', 'napi-v6', process.platform, process.arch);
}

/** The extension brings no DirectML.dll, because it would make the package too large; many Windows have one. */
function hasDirectML(): boolean {
  const system = join(process.env.SystemRoot ?? 'C:\\Windows', 'System32');
  return [libraryFolder(), system].some((folder) => existsSync(join(folder, 'DirectML.dll')));
}

/** onnxruntime loads CUDA from a library in its own folder, where the install script puts it if asked to. */
function hasCudaLibrary(): boolean {
  const folder = libraryFolder();
  return ['libonnxruntime_providers_cuda.so', 'onnxruntime_providers_cuda.dll'].some((f) =>
    existsSync(join(folder, f)),
  );
}

/** Vulkan's loader finds drivers through manifests, in documented environment variables and folders. */
function hasVulkanDriver(env: NodeJS.ProcessEnv = process.env): boolean {
  if (['VK_DRIVER_FILES', 'VK_ICD_FILENAMES', 'VK_ADD_DRIVER_FILES'].some((name) => env[name])) return true;
  const list = (name: string, fallback: string): string[] => (env[name] ?? fallback).split(delimiter).filter(Boolean);
  const folders = [
    ...list('XDG_CONFIG_HOME', join(homedir(), '.config')),
    ...list('XDG_CONFIG_DIRS', '/etc/xdg'),
    '/usr/local/etc',
    '/etc',
    ...list('XDG_DATA_HOME', join(homedir(), '.local/share')),
    ...list('XDG_DATA_DIRS', '/usr/local/share:/usr/share'),
  ];
  return folders.some((folder) => hasManifest(join(folder, 'vulkan', 'icd.d')));
}

function hasManifest(folder: string): boolean {
  try {
    return readdirSync(folder).some((name) => name.endsWith('.json'));
  } catch {
    return false; // most of these folders exist on no machine
  }
}
