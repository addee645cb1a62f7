/** The options of sbatch: those that have a name of their own in Coppice, which is the same, and those that are Coppice's. */
import { UserError } from '../engine/errors';

export interface SlurmOption {
  readonly name: string;
  readonly placeholder: string;
  readonly help: string;
  /** The variable with which sbatch's user gives it, and which sbatch prefers to a line of a script. */
  readonly variable?: string;
}

export const SLURM_OPTIONS: readonly SlurmOption[] = [
  { name: 'partition', placeholder: 'name', help: 'partition of the nodes', variable: 'SBATCH_PARTITION' },
  {
    name: 'time',
    placeholder: 'limit',
    help: 'most time for a part: 2:00:00, or 1-12:00:00 (default: from an estimate)',
    variable: 'SBATCH_TIMELIMIT',
  },
  {
    name: 'mem',
    placeholder: 'size',
    help: 'memory for a part: 16G (default: from an estimate)',
    variable: 'SBATCH_MEM_PER_NODE',
  },
  { name: 'cpus-per-task', placeholder: 'n', help: 'CPUs for a part, and threads where --threads is not given' },
  { name: 'gpus', placeholder: 'n', help: 'GPUs for a part', variable: 'SBATCH_GPUS' },
  { name: 'account', placeholder: 'name', help: 'account that is charged', variable: 'SBATCH_ACCOUNT' },
  { name: 'qos', placeholder: 'name', help: 'quality of service', variable: 'SBATCH_QOS' },
];

/** Where `ClusterRun.asked` has the other options of sbatch, one a line. */
export const OTHERS = 'sbatch';

/** Options that Coppice itself sets, or with which it could not follow the run. */
const OWN = [
  ['array', 'a'],
  ['output', 'o'],
  ['error', 'e'],
  ['dependency', 'd'],
  ['wrap'],
  ['parsable'],
  ['test-only'],
  ['wait', 'W'],
  ['clusters', 'M'],
] as const;

/** The other options, as the user wrote them. */
export const othersIn = (asked: Readonly<Record<string, string>>): string[] =>
  asked[OTHERS] === undefined ? [] : asked[OTHERS].split('\n');

/** @throws UserError for values that a line of a script cannot have, and for options that are Coppice's */
export function checkAsked(asked: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(asked)) {
    const known = name === OTHERS || SLURM_OPTIONS.some((each) => each.name === name);
    if (!known)
      refuse(`--${name}`, 'it is no option of Slurm that Coppice knows', 'Give it as --sbatch "--NAME=VALUE".');
    if (name !== OTHERS && !/^[^\s"'\\#]+$/.test(value)) {
      refuse(
        `--${name} ${value}`,
        'a value for sbatch has no spaces, quotes and signs of comments',
        'Give another value.',
      );
    }
  }
  for (const text of othersIn(asked)) {
    if (!/^--?[a-zA-Z]/.test(text)) {
      refuse(
        `--sbatch "${text}"`,
        'it does not begin with a dash',
        'Write it as on the command line of sbatch: --sbatch "--exclude=n3".',
      );
    }
    const own = OWN.find(([name, letter]) => isGiven(text, name, letter));
    if (own)
      refuse(`--sbatch "${text}"`, `--${own[0]} is set by Coppice, which needs it to follow the run`, 'Leave it out.');
  }
}

/** Whether a line gives an option, also by a beginning of its name, which sbatch takes for the whole. */
function isGiven(line: string, name: string, letter: string | undefined): boolean {
  const long = [...line.matchAll(/(?:^|\s)--([\w-]+)/g)].map(([, given]) => given.toLowerCase());
  if (long.some((given) => name.startsWith(given))) return true;
  return letter !== undefined && new RegExp(`(^|\\s)-${letter}`).test(line);
}

function refuse(what: string, why: string, action: string): never {
  throw new UserError(`${what} cannot be used`, why, action);
}

/** The environment for sbatch: a variable of the user's profile must not win over what was asked for this run. */
export function submitEnvironment(asked: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const replaced = SLURM_OPTIONS.filter(({ name }) => asked[name] !== undefined).map(({ variable }) => variable);
  // Of an allocation in which the user may be: the part gets its own.
  const others = ['SBATCH_ARRAY_INX', 'SBATCH_WAIT', 'SLURM_CPUS_PER_TASK'];
  const without = new Set([...replaced, ...others]);
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !without.has(name)));
}
