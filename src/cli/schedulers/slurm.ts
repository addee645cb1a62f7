/** `coppice submit slurm`: options of sbatch, with sbatch's names. */
import { SLURM_OPTIONS } from '../../cluster/slurm-options';
import { givenOf, type SchedulerFace } from './face';

export const slurmFace: SchedulerFace = {
  name: 'slurm',
  title: 'Slurm',
  description:
    'Submits a job to Slurm: an array with a task for each part, and a job after it that gathers their records. ' +
    'What it submits are scripts in the folder of the run, to be read and changed. That folder must have the same path on all ' +
    'machines, and so must the model and the texts.',
  addOptions: (command) => {
    for (const { name, placeholder, help } of SLURM_OPTIONS) command.option(`--${name} <${placeholder}>`, help);
    const help = 'any other option of sbatch, as --sbatch "--exclude=n3"; may be repeated';
    return command.option('--sbatch <option>', help, (text: string, before?: readonly string[]) => [
      ...(before ?? []),
      text,
    ]);
  },
  asked: (options) => {
    const given = givenOf(
      SLURM_OPTIONS.map(({ name }) => name),
      options,
    );
    const { sbatch } = options;
    return { ...given, ...(Array.isArray(sbatch) && { sbatch: sbatch.join('\n') }) };
  },
  examples: [
    './SmolLM2-135M --calibration prose.txt --parts 8 --folder ./scores',
    './SmolLM2-135M --calibration prose.txt --parts 8 --partition gpu --gpus 1 --time 2:00:00',
    './SmolLM2-135M --calibration prose.txt --parts 8 --write',
  ],
};
