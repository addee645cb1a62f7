/** Pages of what surrounds a command: exit codes and environment variables. */
import { EXIT_CODES } from '../../src/cli/exit-codes';
import { code, list, type Page, page, section, sentence, table } from './page';

export const exitCodesPage = (): Page =>
  page(
    'exit-codes.md',
    'Exit codes',
    'How a command of `coppice` ends, for scripts and CI:',
    table(
      ['Code', 'Meaning'],
      EXIT_CODES.map(({ code: number, meaning }) => [code(String(number)), sentence(meaning)]),
    ),
    'A reader that closes the pipe early (`| head`) ends a command without an error.',
    section(
      'See also',
      list(['[In CI](../guide/ci.md), [environment variables](environment.md), [commands](cli/index.md).']),
    ),
  );

interface Variable {
  readonly names: readonly string[];
  readonly meaning: string;
}

/** What the program reads, by what it is about. test/unit/house/environment.test.ts looks for others in the source. */
export const VARIABLES: Readonly<Record<string, readonly Variable[]>> = {
  Coppice: [
    {
      names: ['COPPICE_CACHE'],
      meaning:
        'folder for what can be made again: text that a model wrote for itself, answers of tasks, measured speeds; and what ' +
        '`add-to` can take back',
    },
    { names: ['COPPICE_THREADS'], meaning: 'threads of the CPU that a run uses where `--threads` is not given' },
    {
      names: ['COPPICE_JOBS'],
      meaning:
        'how many jobs of this machine run at once, each with such a share of its memory and threads. Without it, a job waits ' +
        'while the memory that it may take is not there beside that of earlier jobs, and a part of a job also waits for threads. ' +
        '`off`: every job starts at once',
    },
  ],
  'Set by schedulers': [
    {
      names: ['SLURM_JOB_ID', 'KUBERNETES_SERVICE_HOST'],
      meaning:
        'the scheduler has given the job its share, so it waits for none, unless `COPPICE_JOBS` says how many run at once',
    },
  ],
  Terminal: [
    { names: ['NO_COLOR'], meaning: 'set and not empty: no colors, as with `--no-color`' },
    { names: ['TERM'], meaning: '`dumb`: no colors, and no line that is rewritten' },
    {
      names: ['LC_ALL', 'LC_CTYPE', 'LANG'],
      meaning: 'on Linux and macOS: whether the terminal shows signs outside ASCII',
    },
    { names: ['WT_SESSION', 'TERM_PROGRAM', 'ConEmuTask'], meaning: 'on Windows: the same' },
  ],
  'Folders of the system': [
    { names: ['XDG_CACHE_HOME', 'LOCALAPPDATA'], meaning: 'where caches are, if `COPPICE_CACHE` is not set' },
    {
      names: ['PATH', 'NODE_PATH', 'APPDATA'],
      meaning:
        'where programs are looked for that run exports (`--consumers`), and the commands of Slurm and Kubernetes',
    },
    {
      names: [
        ...['VK_DRIVER_FILES', 'VK_ICD_FILENAMES', 'VK_ADD_DRIVER_FILES'],
        ...['XDG_CONFIG_HOME', 'XDG_CONFIG_DIRS', 'XDG_DATA_HOME', 'XDG_DATA_DIRS', 'SystemRoot'],
      ],
      meaning: 'where drivers of GPUs are looked for',
    },
  ],
  'Hugging Face, in VS Code': [
    {
      names: ['HF_HUB_CACHE', 'HUGGINGFACE_HUB_CACHE', 'HF_HOME'],
      meaning: 'the cache of models, by the first that is set',
    },
    { names: ['HF_ENDPOINT'], meaning: 'the server that models are downloaded from; it must begin with https://' },
    { names: ['HF_TOKEN'], meaning: 'the token for models that need permission; else that of `huggingface-cli login`' },
  ],
};

/** Set for programs that it starts, never read. */
export const SET_VARIABLES: readonly string[] = ['ORT_DISABLE_TELEMETRY'];

export const environmentPage = (): Page =>
  page(
    'environment.md',
    'Environment variables',
    'The variables that Coppice reads. None is needed.',
    ...Object.entries(VARIABLES).map(([about, variables]) =>
      section(
        about,
        table(
          ['Variable', 'Meaning'],
          variables.map(({ names, meaning }) => [names.map(code).join(', '), sentence(meaning)]),
        ),
      ),
    ),
    section(
      'Set by Coppice',
      '`ORT_DISABLE_TELEMETRY` is set to `1`, so that onnxruntime sends nothing. Parts on Slurm are submitted without the variables ' +
        '`SBATCH_…` of the options that the command line names.',
    ),
    section(
      'See also',
      list(['[Exit codes](exit-codes.md), [settings of VS Code](settings.md), [commands](cli/index.md).']),
    ),
  );
