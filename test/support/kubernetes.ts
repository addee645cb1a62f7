/**
 * What the API of Kubernetes takes: its own schemas, from a Python package that has them for each version. It is installed into
 * the user's cache, where the network of packages is there; else tests that need it are skipped and say so.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';

const PACKAGE = 'kubernetes-validate';
const VERSION = '1.37.0';
/** It takes some five seconds; without a network it fails at once. */
const INSTALL_MS = 120_000;

const folder = join(
  process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'),
  'coppice-consumers',
  `${PACKAGE}-${VERSION}`,
);

/** The folder with a folder for each version of the API; undefined where it is not installed. */
export const kubernetesSchemas = installed();

function installed(): string | undefined {
  const found = join(folder, 'kubernetes_validate', 'kubernetes-json-schema');
  if (!existsSync(found)) {
    const install = ['install', '-q', '--no-deps', '--disable-pip-version-check', '--target', folder];
    spawnSync('python3', ['-m', 'pip', ...install, `${PACKAGE}==${VERSION}`], { timeout: INSTALL_MS });
  }
  return existsSync(found) ? found : undefined;
}

/**
 * What the schema of a version finds wrong with a Job. A field that it does not know is wrong.
 * @param version such as "1.33"
 */
export function jobFaults(version: string, job: unknown): string[] {
  const read = (name: string): object =>
    JSON.parse(readFileSync(join(kubernetesSchemas!, `v${version}.0-local-strict`, name), 'utf8')) as object;
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  ajv.addSchema(read('_definitions.json'));
  const validate = ajv.compile(read('job-batch-v1.json'));
  validate(job);
  return (validate.errors ?? []).map(({ instancePath, message = '', params }) =>
    [instancePath, message, JSON.stringify(params)].join(' '),
  );
}
