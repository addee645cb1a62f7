/** `coppice submit slurm`: options of sbatch, with sbatch's names. */
import { SLURM_OPTIONS } from '../../cluster/slurm-options';
import type { SchedulerFace } from './face';

const camel = (name: string): string => name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());

export const slurmFace: SchedulerFace = {
  name: 'slurm',
  title: 'Slurm',
  description:
    'Submits a job to Slurm: an array with a task for each part, and a job after it that gathers their records. ' +
    'What it submits are scripts in the folder of the run, to be read and changed.',
  addOptions: (command) => {
    for (const { name, placeholder, help } of SLURM_OPTIONS) command.option(`--${name} <${placeholder}>`, help);
    const help = 'any other option of sbatch, as --sbatch "--exclude=n3"; may be repeated';
    return command.option('--sbatch <option>', help, (text: string, before?: readonly string[]) => [
      ...(before ?? []),
      text,
    ]);
  },
  asked: (options) => {
    const given = SLURM_OPTIONS.flatMap(({ name }): [string, string][] => {
      const value = options[camel(name)];
      return typeof value === 'string' ? [[name, value]] : [];
    });
    const { sbatch } = options;
    return { ...Object.fromEntries(given), ...(Array.isArray(sbatch) && { sbatch: sbatch.join('\n') }) };
  },
  examples: [
    './SmolLM2-135M --calibration prose.txt --parts 8 --folder ./scores',
    './SmolLM2-135M --calibration prose.txt --parts 8 --partition gpu --gpus 1 --time 2:00:00',
    './SmolLM2-135M --calibration prose.txt --parts 8 --write',
  ],
};
