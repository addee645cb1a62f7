/**
 * A host on record: the messages that a panel of SmolLM2-135M gets. Scores and curve are those of real runs
 * (smollm2.json holds their digests); the retraining and the texts are made up, in the same form.
 */
import type {
  TasksDigest,
  HostMessage,
  LiveSamples,
  PanelRun,
  PanelState,
  RunDigest,
  TrainingStep,
} from '../../../src/protocol/panel';
import { type Journey, STEPS } from '../../../src/protocol/journey';
import digests from './smollm2.json' with { type: 'json' };

const MODEL = {
  name: 'HuggingFaceTB/SmolLM2-135M',
  path: '/models/SmolLM2-135M',
  blocks: 30,
  parameters: 134_515_008,
  parametersPerBlock: 3_540_096,
  parametersRead: 134_515_008,
  bytes: 269_060_552,
  blockBytes: Array.from({ length: 30 }, () => 7_081_500),
  bytesMore: 0,
  noHealing: null,
  saving: 'The blocks are 79 % of this model: removing one of 30 saves about 2.6 %.',
  identity: 'f00d',
};
/** The first four blocks and the last two. */
const PROTECTED = [0, 1, 2, 3, 28, 29];
const PPL_FULL = (digests as unknown as RunDigest[]).flatMap(({ score }) => score?.full ?? [])[0] as number;

/** Loss that comes down with noise, the same in every run. */
export function trainingSteps(count: number, from = 4.1, to = 3.35): TrainingStep[] {
  return Array.from({ length: count }, (_, i) => ({
    step: i + 1,
    loss: to + (from - to) * Math.exp(-i / (count / 4)) + 0.12 * Math.sin(i * 12.9898) * Math.cos(i * 4.1),
    learningRate: i < 20 ? (i / 20) * 1e-4 : 1e-4 * (1 - (i - 20) / (count - 20)),
    tokensPerSecond: 640 + 25 * Math.sin(i / 3),
  }));
}

const base = {
  model: { name: MODEL.name, identity: 'f00d' },
  device: 'cpu',
  versions: 'Coppice 0.1.0, onnxruntime 1.30.0',
};
const at = (minute: number): { started: string; finished: string } => ({
  started: `2026-04-01T09:${String(minute).padStart(2, '0')}:00.000Z`,
  finished: `2026-04-01T09:${String(minute).padStart(2, '0')}:40.000Z`,
});

const retrainRun: RunDigest = {
  kind: 'retrain',
  ...at(30),
  ...base,
  removed: [14, 17, 18],
  inputs: [{ role: 'data', name: 'alpaca.jsonl', hash: 'beef' }],
  settings: [
    ['rank', '8'],
    ['learningRate', '0.0001'],
  ],
  training: {
    output: 'adapter-a',
    steps: trainingSteps(240),
    evaluations: [0, 40, 80, 120, 160, 200, 240].map((step, i) => ({ step, ppl: 41 - 22 * (1 - Math.exp(-i / 2)) })),
    unpruned: 17.62,
  },
};

const sampleRun: RunDigest = {
  kind: 'samples',
  ...at(40),
  ...base,
  removed: [],
  inputs: [],
  settings: [
    ['maxNewTokens', '64'],
    ['greedy', 'true'],
  ],
  cost: [
    {
      label: 'Original',
      parameters: null,
      bytes: null,
      prefillTokensPerSecond: 412,
      decodeTokensPerSecond: 46.1,
      peakRssBytes: null,
      speed: 'writing',
    },
    {
      label: 'Without 14, 17–18',
      parameters: null,
      bytes: null,
      prefillTokensPerSecond: 489,
      decodeTokensPerSecond: 55.4,
      peakRssBytes: null,
      speed: 'writing',
    },
    {
      label: 'adapter-a',
      parameters: null,
      bytes: null,
      prefillTokensPerSecond: 471,
      decodeTokensPerSecond: 53.8,
      peakRssBytes: null,
      speed: 'writing',
    },
  ],
  samples: {
    prompts: ['Once upon a time'],
    columns: ['Original', 'Without 14, 17–18'],
    texts: [
      {
        prompt: 0,
        column: 0,
        text: ', there was a mill by the river.',
        tokens: 9,
        timeToFirstToken: 0.03,
        tokensPerSecond: 46.1,
        repetition: 0,
        stopped: 'eos',
      },
      {
        prompt: 0,
        column: 1,
        text: ', there was a river by the river by the river.',
        tokens: 12,
        timeToFirstToken: 0.026,
        tokensPerSecond: 55.4,
        repetition: 0.33,
        stopped: 'eos',
      },
    ],
  },
};

const benchRun: RunDigest = {
  kind: 'bench',
  ...at(44),
  ...base,
  removed: [],
  inputs: [],
  settings: [['promptTokens', '128']],
  cost: [
    {
      label: MODEL.name,
      parameters: 134_515_008,
      bytes: 269_060_552,
      prefillTokensPerSecond: 431,
      decodeTokensPerSecond: 47.2,
      peakRssBytes: 486_000_000,
      speed: 'alone',
    },
  ],
};

/** The adapter on the rows that the curve was drawn of. */
const retrainedRun: RunDigest = {
  kind: 'eval',
  ...at(36),
  ...base,
  removed: [14, 17, 18],
  adapter: 'adapter-a',
  inputs: [],
  settings: [],
  quality: [
    {
      label: 'adapter-a',
      ppl: PPL_FULL * 1.17,
      kl: 0.127,
      top1: 0.702,
      against: { model: MODEL.name, identity: 'f00d' },
      repetition: 0.08,
      text: 'calibration.txt',
    },
  ],
  retrained: [{ label: 'adapter-a', removed: [14, 17, 18], ppl: PPL_FULL * 1.17, text: 'calibration.txt' }],
};

/** SmolLM2 without the blocks that greedy search picks, in the numbers of a simulation. */
export const healRun: RunDigest = {
  kind: 'heal',
  ...at(28),
  ...base,
  removed: [13, 14, 15, 16, 17, 18],
  inputs: [{ role: 'data', name: 'sherlock.txt', hash: 'cafe' }],
  settings: [
    ['method', 'refit'],
    ['tokens', '32768'],
  ],
  heal: {
    method: 'refit',
    tokens: 30_720,
    text: 'sherlock.txt',
    removed: [13, 14, 15, 16, 17, 18],
    weights: 'healed',
    heldOut: {
      rows: 16,
      before: { ppl: 156.3, kl: 0.573, top1: 0.502 },
      after: { ppl: 118.71, kl: 0.2539, top1: 0.6212 },
      rounded: { ppl: 118.74, kl: 0.254, top1: 0.621 },
    },
    steps: [12, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29].flatMap((block, i) => {
      const error = 4e7 * 1.12 ** i * (block === 29 ? 40 : 1); // the last blocks are far larger
      const step = (tensor: string, left: number) => ({
        block,
        tensor,
        removed: block === 12 ? [13, 14, 15, 16, 17, 18] : [],
        errorBefore: error * (left < 1 ? 1 : 1.03),
        errorAfter: error * left,
      });
      return [...(i === 0 ? [] : [step('o_proj', 0.93)]), step('down_proj', 0.62 + 0.02 * i)];
    }),
    seconds: 41.3,
    writingSeconds: 0,
  },
};

const NAMES = ['boolq', 'piqa', 'hellaswag', 'winogrande', 'arc_easy', 'arc_challenge', 'openbookqa'] as const;
const WHOLE = [0.598, 0.683, 0.431, 0.524, 0.584, 0.296, 0.338];
const LOST = [0.01, 0.034, 0.058, 0.012, 0.081, 0.019, 0.016];
const ITEMS = [3270, 1838, 10042, 1267, 2376, 1172, 500];
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Two models in three probes: one that the second has lost, one that it has not, and one that the first cannot do. */
export const PROBED: Pick<TasksDigest, 'models' | 'differences'> = {
  models: ['Original', 'Without 14, 17–18'].map((label, m) => ({
    ...{ label, model: MODEL.name, identity: 'f00d', removed: m === 0 ? [] : [14, 17, 18] },
    ...{ average: null, tasks: [] },
    probes: [
      { name: 'copy', items: 32, score: [0.75, 0.25][m], stderr: 0.078, able: true, key: 'copy' },
      { name: 'end', items: 16, score: 1, stderr: 0, able: true, key: 'end' },
      { name: 'sums', items: 32, score: [0.28, 0.22][m], stderr: 0.08, able: false, key: 'sums' },
    ],
  })),
  differences: [
    {
      label: 'Without 14, 17–18',
      average: { difference: null, interval: null },
      tasks: [],
      probes: [
        { name: 'copy', difference: -0.5, interval: 0.176, lost: 16, gained: 0, pValue: 3e-5, differing: 16 },
        { name: 'end', difference: 0, interval: 0, lost: 0, gained: 0, pValue: 1, differing: 0 },
        { name: 'sums', difference: -0.06, interval: 0.2, lost: 6, gained: 4, pValue: 0.75, differing: 10 },
      ],
    },
  ],
};

/** Three models on the seven tasks, in made-up numbers. */
export const tasksRun: RunDigest = {
  kind: 'tasks',
  ...at(50),
  ...base,
  removed: [],
  inputs: NAMES.map((name) => ({ role: 'task', name: `${name}.jsonl`, hash: 'abcd' })),
  settings: [['from', '0']],
  tasks: {
    itemsKey: 'items',
    from: 0,
    limit: null,
    files: NAMES.map((name) => `${name}.jsonl`),
    models: ['Original', 'Without 14, 17–18', 'adapter-a'].map((label, m) => {
      const values = WHOLE.map((value, k) => value - LOST[k] * [0, 1, 0.4][m]);
      return {
        label,
        model: MODEL.name,
        identity: 'f00d',
        removed: m === 0 ? [] : [14, 17, 18],
        ...(m === 2 && { adapter: 'adapter-a' }),
        average: mean(values),
        tasks: NAMES.map((name, k) => ({
          name,
          items: ITEMS[k],
          metric: [2, 5, 6].includes(k) ? ('accNorm' as const) : ('acc' as const),
          value: values[k],
          stderr: Math.sqrt((values[k] * (1 - values[k])) / ITEMS[k]),
          acc: values[k],
          accNorm: [2, 5, 6].includes(k) ? values[k] : null,
        })),
      };
    }),
    differences: ['Without 14, 17–18', 'adapter-a'].map((label, m) => ({
      label,
      average: { difference: -mean(LOST) * [1, 0.4][m], interval: 0.0093 },
      tasks: NAMES.map((name, k) => ({
        name,
        difference: -LOST[k] * [1, 0.4][m],
        interval: 1.1 / Math.sqrt(ITEMS[k]),
        lost: Math.round(0.12 * ITEMS[k]),
        gained: Math.round((0.12 - LOST[k]) * ITEMS[k]),
        pValue: LOST[k] > 0.03 ? 1e-5 : 0.143,
        differing: Math.round(0.2 * ITEMS[k]),
      })),
    })),
    questions: [
      {
        task: 'piqa',
        item: 17,
        context: 'Question: How do I keep a door from closing?\nAnswer:',
        choices: ['Put a wedge of wood under it.', 'Put a wedge of water under it.'],
        gold: 0,
        answers: [0, 1, 0],
      },
      {
        task: 'arc_easy',
        item: 4,
        context: 'Question: Which of these is a mammal?\nAnswer:',
        choices: ['a shark', 'a whale', 'a trout', 'a frog'],
        gold: 1,
        answers: [1, 0, 0],
      },
      {
        task: 'capitals',
        item: 2,
        context: 'The capital of France is',
        choices: ['Paris'],
        gold: null,
        answers: [
          { text: ' Paris, the city', correct: true },
          { text: ' the capital of', correct: false },
          { text: ' Paris.', correct: true },
        ],
      },
    ],
  },
};

const titleOf = ({ kind, score, curve, training }: RunDigest): string =>
  [kind, score?.criterion ?? curve?.criterion ?? training?.output].filter(Boolean).join(' · ');

export const RUNS: readonly PanelRun[] = [
  benchRun,
  sampleRun,
  retrainedRun,
  retrainRun,
  healRun,
  ...(digests as unknown as RunDigest[]),
].map((digest, i) => ({
  id: `run-${i}.json`,
  title: titleOf(digest),
  digest,
  changed: digest.kind === 'retrain' ? ['alpaca.jsonl has changed since'] : [],
}));

/** Neither a number nor a limit. */
export const NOTHING = { value: null, limit: null, met: null };

/** The way of a model without scores and without a goal. */
export const JOURNEY: Journey = {
  goal: null,
  steps: STEPS.map((name, i) => ({ name, state: i === 0 ? 'next' : 'later' })),
  next: { action: 'score' },
  skippable: false,
  instead: null,
  judgeable: false,
  verdict: {
    meets: 'unknown',
    planned: false,
    bytes: NOTHING,
    ratio: NOTHING,
    byBits: false,
    flatters: false,
    repetition: NOTHING,
    repeats: false,
    same: NOTHING,
    probeLoss: NOTHING,
  },
};

/** A panel that knows the model and nothing else. */
export const EMPTY: PanelState = {
  model: MODEL,
  kin: { parent: null, original: null, children: [] },
  namedPlans: [],
  journey: JOURNEY,
  ways: null,
  times: {},
  text: { name: 'calibration.txt', samples: 10, length: 128, seed: 1234, from: 'scores' },
  plan: planOf([]),
  whatIf: {
    status: 'idle',
    full: null,
    removed: [],
    ppl: null,
    seconds: null,
    text: null,
    failure: null,
  },
  runs: [],
  unreadable: [],
  jobs: [],
  columns: [
    { id: 'original', label: 'Original', detail: '30 blocks', group: 'own', related: true },
    { id: 'plan', label: 'Without 14, 17–18', detail: 'without the blocks that go', group: 'own', related: true },
    { id: 'adapter:a', label: 'adapter-a', detail: 'retrained, without 14, 17, 18', group: 'own', related: true },
  ],
  prompts: ['Once upon a time', 'The Leaning Tower of Pisa is known for', 'AI can create a logo in seconds'],
  ownPrompts: [],
  questions: ['Write a short story about a dog.', 'Why is the sky blue?'],
  chat: true,
  instruct: false,
  training: null,
  writing: null,
  comparison: null,
  failure: null,
  trusted: true,
  missing: false,
};

export function planOf(removed: readonly number[], changes: Partial<PanelState['plan']> = {}): PanelState['plan'] {
  const gone = removed.length * MODEL.parametersPerBlock;
  return {
    removed,
    protected: PROTECTED,
    locked: [5],
    canUndo: removed.length > 0,
    canRedo: false,
    parameters: MODEL.parameters - gone,
    bytes: MODEL.bytes - 2 * gone,
    speedup: MODEL.parameters / (MODEL.parameters - gone),
    warning: null,
    healingTime: removed.length > 0 ? 'about 10 s' : '',
    ...changes,
  };
}

export const TEXTS: LiveSamples = {
  status: 'done',
  prompt: 'Once upon a time',
  columns: ['Original', 'Without 14, 17–18', 'adapter-a'],
  texts: [
    {
      text: ', there was a young boy named Timmy. Timmy was a very curious boy, and he loved to learn new things. One day, Timmy’s teacher asked him to write a story about a character who had a special power.',
      tokens: 48,
      timeToFirstToken: 0.031,
      tokensPerSecond: 23.4,
      repetition: 0.04,
      stopped: 'length' as const,
    },
    {
      text: ', there was a young boy who was very curious. He was very curious about the world around him. He was very curious about the world around him. He was very curious about the world around him.',
      tokens: 48,
      timeToFirstToken: 0.026,
      tokensPerSecond: 27.9,
      repetition: 0.47,
      stopped: 'length' as const,
    },
    {
      text: ', there was a little girl named Lily. Lily loved to explore the world around her, and she asked a great many questions. One day, her teacher gave her a small brass compass that pointed the wrong way.',
      tokens: 48,
      timeToFirstToken: 0.027,
      tokensPerSecond: 27.2,
      repetition: 0.02,
      stopped: 'length' as const,
    },
  ],
};

/** A panel after an afternoon of work. */
export const FULL: PanelState = {
  ...EMPTY,
  plan: planOf([14, 17, 18]),
  whatIf: {
    status: 'done',
    full: PPL_FULL,
    removed: [14, 17, 18],
    ppl: PPL_FULL * 1.56,
    kl: 0.341,
    top1: 0.583,
    seconds: 0.84,
    text: 'calibration.txt',
    failure: null,
  },
  runs: RUNS,
  training: null,
  writing: TEXTS,
};

/** Numbers messages as the host does. */
export function numbered(): <M extends object>(message: M) => M & { readonly sequence: number } {
  let sequence = 0;
  return (message) => ({ ...message, sequence: sequence++ });
}

/** The first messages of a panel in `state`. */
export const opening = (state: PanelState): HostMessage => ({ sequence: 0, type: 'init', state });
