/** A comparison of sizes with made-up numbers, in the shapes of SmolLM2. */
import type { FrontierPoint, FrontierResult } from '../../../src/jobs/results/frontier';

const ORDER = [[], [13, 17], [13, 14, 16, 17], [4, 13, 14, 16, 17, 18]];

/** Megabytes and perplexity of each number of blocks. Made up. */
const MEASURED = {
  q8_0: [
    [146.4, 64.2],
    [138.9, 70.4],
    [131.3, 81.2],
    [123.8, 98.4],
  ],
  q5_k_m: [
    [112.4, 65.1],
    [106.5, 71.2],
    [100.9, 82.4],
    [95.3, 99.7],
  ],
  q4_k_m: [
    [105.5, 67.9],
    [100.2, 74.1],
    [95.1, 86.0],
    [89.9, 104.6],
  ],
  q2_k: [
    [88.2, 103.4],
    [83.9, 115.2],
    [79.8, 140.5],
    [75.5, 177.3],
  ],
} as const;

const BYTES = 102e6;
const points: FrontierPoint[] = ORDER.flatMap((removed, at) =>
  Object.entries(MEASURED).map(([type, sizes]): FrontierPoint => {
    const [megabytes, ppl] = sizes[at];
    const all = Object.values(MEASURED).flat();
    const bytes = Math.round(megabytes * 1e6);
    const fits = bytes <= BYTES;
    const isBest = type === 'q4_k_m' && at === 1;
    return {
      ...{ type: type as 'q8_0', count: removed.length, removed, healed: at > 0, bytes, ppl, meanNll: Math.log(ppl) },
      parameters: 134_515_008 - removed.length * 3_540_096,
      frontier: !all.some(([size, other]) => size <= megabytes && other <= ppl && (size < megabytes || other < ppl)),
      fits,
      ...(fits && !isBest && { behind: { difference: Math.log(ppl / 74.1), interval: 0.04 } }),
    };
  }),
);

export const SIZES: FrontierResult = {
  model: { name: 'SmolLM2-135M', path: '/models/SmolLM2-135M', identity: 'x' },
  criterion: 'ppl',
  order: ORDER,
  original: { bytes: 270_600_000, ppl: 64, meanNll: Math.log(64) },
  points,
  fit: {
    bytes: BYTES,
    point: points.findIndex(({ type, count }) => type === 'q4_k_m' && count === 2),
    isClear: true,
    commands: [
      'coppice heal ./SmolLM2-135M --remove 13,17 --calibration prose.txt --patch SmolLM2-135M-without-2.patch.safetensors',
      'coppice export ./SmolLM2-135M --heal SmolLM2-135M-without-2.patch.safetensors --type q4_k_m --out SmolLM2-135M-without-2-q4_k_m.gguf',
    ],
  },
  text: { name: 'wiki.test.txt', sha256: 'y', rows: 64, length: 128 },
  calibrated: false,
  weighed: true,
  seconds: 300,
  device: 'cpu',
  precision: 'float32',
};
