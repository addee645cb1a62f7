/** The command line that repeats a job. */
import { argvOf } from '../jobs/argv';
import { optionsIn } from '../jobs/complete';
import { JOBS } from '../jobs/definitions';
import type { Compute, JobSpec } from '../protocol/jobs';
import type { RetrainSpec } from '../protocol/training';
import { quoted, type Shell } from './shell-words';

type Flags = readonly (readonly [flag: string, value: string | number | boolean | undefined])[];

/**
 * Undefined for what the command line has no one command for.
 *
 * @param shell the one that is to read it
 * @throws UserError for a word that it has no quotes for
 */
export function cliCommand(spec: JobSpec, shell: Shell = 'posix'): string | undefined {
  const words = wordsOf(spec);
  return words && ['coppice', ...words].map((word) => quoted(word, shell)).join(' ');
}

function wordsOf(spec: JobSpec): string[] | undefined {
  switch (spec.kind) {
    case 'score':
    case 'curve':
    case 'eval':
    case 'generate':
    case 'prune':
    case 'merge':
      return argvOf(JOBS[spec.kind], optionsIn(spec));
    case 'retrain':
      return line('retrain', spec.checkpoint, [...retrainFlags(spec), ...computeFlags(spec)]);
    case 'samples':
    case 'bench': // of several models
      return undefined;
  }
}

const listOf = (list: readonly (number | string)[] | undefined): string | undefined =>
  list && list.length > 0 ? list.join(',') : undefined;

function retrainFlags({ checkpoint, settings, remove, out, resume, teacher }: RetrainSpec): Flags {
  const { method, data, betas, dtype, learningRate } = settings;
  const files = data === 'self' ? ['self'] : data;
  const lora: Flags =
    method.kind === 'lora'
      ? [
          ['rank', method.rank],
          ['alpha', method.alpha],
          ['dropout', method.dropout],
          ['targets', method.targets?.join(',')],
          ['init-adapter', method.start],
        ]
      : [
          ['full', true],
          ['init', method.start === 'random' ? 'random' : undefined],
        ];
  const same = [
    'merge',
    'prompt',
    'length',
    'seed',
    'batch',
    'accumulate',
    'epochs',
    'steps',
    'warmup',
    'clip',
    'patience',
  ] as const;
  return [
    ...files.map((file) => ['data', file] as const),
    ['out', out],
    ['remove', listOf(remove)],
    ...lora,
    ...same.map((name) => [name, settings[name]] as const),
    ['self-tokens', settings.selfTokens],
    ['held-out', settings.heldOut],
    ['lr', learningRate],
    ['weight-decay', settings.weightDecay],
    ['betas', betas?.join(',')],
    ['eval-every', settings.evalEvery],
    ['save-every', settings.saveEvery],
    ['dtype', dtype?.toLowerCase()],
    ['teacher', teacher && (teacher.checkpoint ?? checkpoint)], // the student's own, unpruned
    ['teacher-weight', teacher?.weight],
    ['resume', resume],
  ];
}

const computeFlags = ({ device, threads, memory }: Compute): Flags => [
  ['device', device === 'auto' ? undefined : device],
  ['threads', threads],
  ['memory', memory],
];

function line(verb: string, checkpoint: string, flags: Flags): string[] {
  const words = [verb, checkpoint.startsWith('-') ? `./${checkpoint}` : checkpoint];
  for (const [flag, value] of flags) {
    if (value === undefined || value === false) continue;
    words.push(`--${flag}`);
    if (value !== true) words.push(String(value));
  }
  return words;
}
