/** The command line that does what a job did. */
import type { Compute, JobSpec, ModelSource, SamplingChoice } from '../protocol/jobs';
import type { ScoreSpec } from '../protocol/scores';
import type { RetrainSpec } from '../protocol/training';

type Flags = readonly (readonly [flag: string, value: string | number | boolean | undefined])[];

/** Undefined for what the command line has no one command for. */
export function cliCommand(spec: JobSpec): string | undefined {
  switch (spec.kind) {
    case 'score':
      // `coppice score` tries every block; `coppice prune --criterion greedy` chooses and writes at once.
      if (spec.keep && spec.keep.length > 0) return undefined;
      return line('score', spec.checkpoint, [...scoreFlags(spec), ...modelFlags(spec), ...computeFlags(spec)]);
    case 'evaluate': {
      const { text, window, bos, limit } = spec;
      const flags: Flags = [
        ['text', text],
        ['window', window],
        ['bos', bos],
        ['limit', limit],
      ];
      return line('eval', spec.checkpoint, [...flags, ...modelFlags(spec), ...computeFlags(spec)]);
    }
    case 'generate': {
      const { prompt, ids, chat, maxNewTokens, ignoreEos } = spec;
      const flags: Flags = [
        ['prompt', prompt],
        ['ids', ids?.join(',')],
        ['chat', chat],
        ['max-new-tokens', maxNewTokens],
      ];
      const rest: Flags = [...samplingFlags(spec), ['ignore-eos', ignoreEos]];
      return line('generate', spec.checkpoint, [...flags, ...rest, ...modelFlags(spec), ...computeFlags(spec)]);
    }
    case 'prune':
      return line('prune', spec.checkpoint, [
        ['blocks', spec.blocks.join(',')],
        ['out', spec.out],
      ]);
    case 'merge': {
      const { adapter, otherBase, out, dtype } = spec;
      return line('merge', spec.checkpoint, [
        ['adapter', adapter],
        ['other-base', otherBase],
        ['out', out],
        ['dtype', dtype?.toLowerCase()],
      ]);
    }
    case 'retrain':
      return line('retrain', spec.checkpoint, [...retrainFlags(spec), ...computeFlags(spec)]);
    case 'curve':
    case 'samples':
      return undefined;
  }
}

function scoreFlags({ criterion, calibration, norm, reduction, granularity, count }: ScoreSpec): Flags {
  return [
    ['criterion', criterion],
    ['calibration', calibration?.file],
    ['samples', calibration?.samples],
    ['length', calibration?.length],
    ['seed', calibration?.seed],
    ['norm', norm],
    ['reduction', reduction],
    ['granularity', granularity],
    ['count', count],
  ];
}

function retrainFlags({ settings, remove, out, resume, teacher }: RetrainSpec): Flags {
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
    ['remove', remove?.join(',')],
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
    ['teacher', teacher?.checkpoint],
    ['teacher-weight', teacher?.weight],
    ['resume', resume],
  ];
}

const modelFlags = ({ remove, adapter, otherBase }: Partial<ModelSource>): Flags => [
  ['remove', remove && remove.length > 0 ? remove.join(',') : undefined],
  ['adapter', adapter],
  ['other-base', otherBase],
];

const samplingFlags = ({ temperature, topK, topP, seed }: SamplingChoice): Flags => [
  ['temperature', temperature],
  ['top-k', topK],
  ['top-p', topP],
  ['seed', seed],
];

const computeFlags = ({ device, threads, memory }: Compute): Flags => [
  ['device', device === 'auto' ? undefined : device],
  ['threads', threads],
  ['memory', memory],
];

function line(verb: string, checkpoint: string, flags: Flags): string {
  const words = ['coppice', verb, shellWord(checkpoint)];
  for (const [flag, value] of flags) {
    if (value === undefined || value === false) continue;
    words.push(`--${flag}`);
    if (value !== true) words.push(shellWord(String(value)));
  }
  return words.join(' ');
}

/** In single quotes where a shell would read more into it. */
const shellWord = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
