/** The command lines that write a file which was measured. */
import { quoted } from '../../format/shell';
import { argvOf } from '../argv';
import type { AnyJob } from '../define';
import { exportJob } from '../definitions/export';
import { heal } from '../definitions/heal';
import type { OptionsFor } from '../kinds';
import type { FrontierPoint } from '../results/frontier';
import { isWeighed } from './frontier-files';
import { healingOf } from './rounds';

/** Without its suffix; characters that a name of a file should not have are gone. */
const stem = (name: string): string => name.replace(/\.(gguf|safetensors)$/i, '').replaceAll(/[^\w.-]+/g, '-');

/** As a POSIX shell reads them. @param name of the model, which the names of the new files begin with */
export function fileCommands(
  { type, count, removed, healed }: Pick<FrontierPoint, 'type' | 'count' | 'removed' | 'healed'>,
  options: OptionsFor<'frontier'>,
  name: string,
): string[] {
  const { checkpoint } = options;
  const shorter = count === 0 ? stem(name) : `${stem(name)}-without-${count}`;
  const patch = `${shorter}.patch.safetensors`;
  const view = count === 0 ? {} : healed ? { heal: patch } : { remove: removed };
  return [
    ...(healed ? [line(heal, { ...healingOf(options), remove: removed, patch })] : []),
    line(exportJob, { checkpoint, ...view, type: [type], ...imatrixOf(type, options), out: `${shorter}-${type}.gguf` }),
  ];
}

/** As the file was rounded. */
function imatrixOf(type: string, options: OptionsFor<'frontier'>): Readonly<Record<string, unknown>> {
  if (!isWeighed(type, options)) return {};
  const { calibration, samples, length, seed, share, bos } = options;
  return { imatrix: 'auto', calibration, samples, length, seed, share, bos };
}

/** Without options that have their default. */
function line(job: AnyJob, given: Readonly<Record<string, unknown>>): string {
  const own = Object.entries(given).filter(
    ([name, value]) => value !== undefined && value !== job.options[name].default,
  );
  return ['coppice', ...argvOf(job, Object.fromEntries(own))].map((word) => quoted(word, 'posix')).join(' ');
}
