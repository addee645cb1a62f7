/** The options of sbatch that have a name of their own in Coppice: the same name. */

export interface SlurmOption {
  readonly name: string;
  readonly placeholder: string;
  readonly help: string;
}

export const SLURM_OPTIONS: readonly SlurmOption[] = [
  { name: 'partition', placeholder: 'name', help: 'partition of the nodes' },
  {
    name: 'time',
    placeholder: 'limit',
    help: 'most time for a part: 2:00:00, or 1-12:00:00 (default: from an estimate)',
  },
  { name: 'mem', placeholder: 'size', help: 'memory for a part: 16G (default: from an estimate)' },
  { name: 'cpus-per-task', placeholder: 'n', help: 'CPUs for a part, and threads where --threads is not given' },
  { name: 'gpus', placeholder: 'n', help: 'GPUs for a part' },
  { name: 'account', placeholder: 'name', help: 'account that is charged' },
  { name: 'qos', placeholder: 'name', help: 'quality of service' },
];
