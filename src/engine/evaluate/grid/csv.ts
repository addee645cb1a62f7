/**
 * The tables of the paper's code (`gen_batch_eval_time.py`, `gen_batch_eval_vram.py`) for a model: under their columns,
 * a line of values for each cell; in the table of times, a line with the T of every run follows it.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeWhole } from '../../files/whole-file';
import { cannotWrite } from '../../system-failure';
import type { GridCell } from './result';

const TIME = 'time_mean(sec),time_std,th_mean(tokens/s),th_std,mem,out_len,in_len,nbatches,batchsz,nparam';
const MEMORY = 'mem_gpu_mean,mem_gpu_std,mem_cpu_mean,mem_cpu_std,out_len,in_len,nbatches,batchsz,nparam';
const MiB = 2 ** 20;

export interface Tables {
  /** The start of the names of both files. */
  readonly name: string;
  readonly time: string;
  readonly memory: string;
}

interface CsvColumn {
  readonly label: string;
  readonly parameters?: number;
  readonly promptTokens?: number;
  readonly cells: readonly GridCell[];
}

/** @param on what computed; memory counts as the GPU's where it is one, and mem is in MiB */
export function csvOf(
  { label, parameters = 0, promptTokens = 0, cells }: CsvColumn,
  { runs, device }: { readonly runs: number; readonly device: string },
): Tables {
  const time = [TIME];
  const memory = [MEMORY];
  for (const { batch, newTokens, measured } of cells) {
    if (!measured) continue;
    const { latency, throughput, times, peakBytes } = measured;
    const cell = [newTokens, promptTokens, runs, batch, parameters];
    const [mean, sd] = [peakBytes.mean / MiB, peakBytes.sd / MiB];
    time.push([latency.mean, latency.sd, throughput.mean, throughput.sd, mean, ...cell].join(','), times.join(','));
    // This process's memory is the host's. What a GPU holds is not known.
    memory.push([device === 'cpu' ? 0 : '', device === 'cpu' ? 0 : '', mean, sd, ...cell].join(','));
  }
  return { name: fileNameOf(label), time: `${time.join('\n')}\n`, memory: `${memory.join('\n')}\n` };
}

const fileNameOf = (label: string): string => label.replace(/[^\p{L}\p{N}._-]+/gu, '-').replace(/^\.+/, '') || 'model';

/** Writes NAME.time.csv and NAME.memory.csv. @throws UserError */
export async function writeTables(folder: string, tables: readonly Tables[]): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw cannotWrite(folder, error);
  }
  const names = new Set<string>();
  for (const { name, time, memory } of tables) {
    let own = name;
    for (let n = 2; names.has(own); n++) own = `${name}-${n}`;
    names.add(own);
    await writeWhole(join(folder, `${own}.time.csv`), time);
    await writeWhole(join(folder, `${own}.memory.csv`), memory);
  }
}
