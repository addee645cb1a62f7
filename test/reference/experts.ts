/**
 * Blocks with experts in plain loops and float64, written from their definition: what every expert gives to a token, and the factors of
 * kept experts by least squares. Mixers are the caller's. Slow on purpose; meant for toys.
 */

/** The weights of one block, by name: "experts.2.down", "router". Rows of a matrix; a vector has one. */
export type ReferenceBlock = ReadonlyMap<string, Matrix>;

type Numbers = readonly number[];
type Matrix = readonly Numbers[];

/** How a block routes its tokens. */
interface ReferenceRouting {
  readonly count: number;
  readonly chosen: number;
  /** What the softmax is over. */
  readonly weighs: 'all' | 'chosen';
  readonly form?: 'clamped';
  /** Present if an FFN is beside the experts. */
  readonly shared?: object;
}

/** The settings of a model that its FFNs depend on. */
export interface ReferenceExperts {
  readonly hidden: number;
  readonly rmsNormEps: number;
  readonly style: { readonly residualScale: number };
  readonly layers: readonly {
    readonly ffn: { readonly kind: 'dense' } | ({ readonly kind: 'experts' } & ReferenceRouting);
  }[];
}

/** What a token's experts give, their weights included, by expert. */
type Given = ReadonlyMap<number, Numbers>;

const times = (matrix: Matrix, x: Numbers, bias?: Matrix): number[] =>
  matrix.map((row, o) => row.reduce((sum, value, i) => sum + value * x[i], bias?.[0][o] ?? 0));
const plus = (a: Numbers, b: Numbers, factor = 1): number[] => a.map((value, i) => value + factor * b[i]);
const silu = (a: number): number => a / (1 + Math.exp(-a));
const product = (a: Numbers, b: Numbers): number => a.reduce((sum, value, i) => sum + value * b[i], 0);

function normed(block: ReferenceBlock, x: Numbers, eps: number): number[] {
  const size = Math.sqrt(product(x, x) / x.length + eps);
  return x.map((value, i) => (value / size) * block.get('postNorm')![0][i]);
}

/** Routing by definition: of the experts with the highest scores, softmax over them alone or over all. */
function given(block: ReferenceBlock, m: Numbers, shape: ReferenceRouting, experts: Numbers): Given {
  const { chosen, weighs, form } = shape;
  const all = times(block.get('router')!, m, block.get('routerBias'));
  const scores = experts.map((e) => all[e]);
  const best = [...experts.keys()].sort((a, b) => scores[b] - scores[a]).slice(0, chosen);
  const over = (weighs === 'all' ? [...experts.keys()] : best).reduce((sum, i) => sum + Math.exp(scores[i]), 0);
  const outputOf = (e: number): number[] => {
    const linear = (name: string, x: Numbers) =>
      times(block.get(`experts.${e}.${name}`)!, x, block.get(`experts.${e}.${name}Bias`));
    const [gate, up] = [linear('gate', m), linear('up', m)];
    const clamped = (g: number, u: number): number => {
      const [a, b] = [Math.min(g, 7), Math.max(-7, Math.min(7, u))];
      return ((b + 1) * a) / (1 + Math.exp(-1.702 * a));
    };
    const inner = gate.map((g, i) => (form === 'clamped' ? clamped(g, up[i]) : silu(g) * up[i]));
    return linear('down', inner);
  };
  return new Map(
    best.map((i) => {
      const share = Math.exp(scores[i]) / over;
      return [i, outputOf(experts[i]).map((value) => share * value)];
    }),
  );
}

function dense(block: ReferenceBlock, m: Numbers): number[] {
  const both = block.get('gateUp');
  const [gate, up] = both
    ? [both.slice(0, both.length / 2), both.slice(both.length / 2)]
    : [block.get('gate')!, block.get('up')!];
  const values = times(up, m);
  return times(
    block.get('down')!,
    times(gate, m).map((value, i) => silu(value) * values[i]),
  );
}

const sumOf = (outputs: Given, size: number): number[] =>
  [...outputs.values()].reduce<number[]>((sum, each) => plus(sum, each), new Array<number>(size).fill(0));

/** What a block's FFN makes of a token's stream behind the mixer, and what each of its experts gave. */
export function referenceFeedForward(
  { layers, rmsNormEps, style, hidden }: ReferenceExperts,
  layer: number,
  block: ReferenceBlock,
  h: Numbers,
  experts?: Numbers,
): { readonly stream: Numbers; readonly outputs: Given } {
  const { ffn } = layers[layer];
  const m = normed(block, h, rmsNormEps);
  if (ffn.kind !== 'experts') return { stream: plus(h, dense(block, m), style.residualScale), outputs: new Map() };
  const own = experts ?? Array.from({ length: ffn.count }, (_, e) => e);
  const outputs = given(block, m, ffn, own);
  const routed = sumOf(outputs, hidden);
  const added = ffn.shared ? plus(routed, dense(block, m)) : routed;
  return { stream: plus(h, added, style.residualScale), outputs };
}

/**
 * The factors of kept experts: (UᵀU + λI) s = Uᵀy + λ1 with λ a hundredth of the mean diagonal, by Gaussian elimination, between 1/4 and 4.
 * @param tokens what the original's experts give to each, and what the kept ones give
 */
export function referenceFactors(
  tokens: readonly { readonly original: Given; readonly pruned: Given }[],
  kept: number,
  hidden: number,
): number[] {
  const system = Array.from({ length: kept }, () => new Array<number>(kept + 1).fill(0));
  for (const { original, pruned } of tokens) {
    const wanted = sumOf(original, hidden);
    for (const [i, own] of pruned) {
      system[i][kept] += product(own, wanted);
      for (const [k, other] of pruned) system[i][k] += product(own, other);
    }
  }
  const ridge = (0.01 * system.reduce((sum, row, i) => sum + row[i], 0)) / kept;
  for (const [i, row] of system.entries()) {
    row[i] += ridge;
    row[kept] += ridge;
  }
  for (let i = 0; i < kept; i++) {
    for (let r = 0; r < kept; r++) {
      if (r === i) continue;
      const factor = system[r][i] / system[i][i];
      for (let c = i; c <= kept; c++) system[r][c] -= factor * system[i][c];
    }
  }
  return system.map((row, i) => Math.min(4, Math.max(1 / 4, row[kept] / row[i])));
}
