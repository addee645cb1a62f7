/** The variants of the methods against their definitions in plain loops and float64. */
import { measureFlap } from '../../../../src/engine/importance/width/flap';
import { FLAP_METRICS, type FlapMetric, type Salience } from '../../../../src/engine/importance/width/methods';
import { unitSaliences } from '../../../../src/engine/importance/width/salience';
import { measureWidth } from '../../../../src/engine/importance/width/measure';
import assert from 'node:assert/strict';
import { loadReference, referenceEmbedding, referenceModule, type Vector } from '../../../reference/forward';
import { addAll } from '../../../reference/forward';
import { assertAllClose } from '../../../support/close';
import { describedModel } from '../../../support/model';
import { randomRows } from '../../../support/random';
import { weightGradients } from '../../../support/training';
import { tinyCheckpoint } from '../../../support/tiny-models';
import { plainShape } from '../../../../src/engine/checkpoint/kinds/plain';

const VOCABULARY = 288;
const rows = randomRows(4, 18, VOCABULARY, 41);
const LINEARS = {
  groups: {
    'self_attn.q_proj': 'rows',
    'self_attn.k_proj': 'rows',
    'self_attn.v_proj': 'rows',
    'self_attn.o_proj': 'columns',
  },
  neurons: { 'mlp.gate_proj': 'rows', 'mlp.up_proj': 'rows', 'mlp.down_proj': 'columns' },
} as const;

describe('LLM-Pruner’s saliences', () => {
  const folder = tinyCheckpoint('llama-bias');
  const model = describedModel(() => folder);
  /** By tensor, the gradients of each row's mean loss. */
  const gradients = new Map<string, Float32Array[]>();

  before(async () => {
    for (const row of rows) {
      for (const [name, gradient] of await weightGradients(model(), [row])) {
        gradients.set(name, [...(gradients.get(name) ?? []), gradient]);
      }
    }
  });

  /** Σ over the channels of a unit's weights. */
  function expected(salience: Salience, block: number, kind: 'groups' | 'neurons', units: number): number[] {
    const { tensors } = loadReference(folder);
    const found = Array<number>(units).fill(0);
    for (const [linear, channels] of Object.entries(LINEARS[kind])) {
      const name = `model.layers.${block}.${linear}.weight`;
      const { values, shape } = tensors.get(name)!;
      const [out, into] = shape;
      const [count, length] = channels === 'rows' ? [out, into] : [into, out];
      const worth = (at: number): number => {
        const w = values[at];
        const own = gradients.get(name)!.map((gradient) => gradient[at]);
        const first = (w * own.reduce((sum, g) => sum + g, 0)) / rows.length;
        const second = (w * w * own.reduce((sum, g) => sum + g * g, 0)) / rows.length;
        if (salience === 'l1') return Math.abs(w);
        if (salience === 'l2') return w * w;
        if (salience === 'second') return second;
        if (salience === 'mix') return Math.abs(first - second / 2);
        return salience === 'first' ? Math.abs(first) : first;
      };
      for (let channel = 0; channel < count; channel++) {
        let sum = 0;
        for (let i = 0; i < length; i++) sum += worth(channels === 'rows' ? channel * into + i : i * into + channel);
        found[Math.floor(channel / (count / units))] += Math.abs(sum);
      }
    }
    return found;
  }

  for (const salience of ['first', 'second', 'mix', 'vectorize', 'l1', 'l2'] as const) {
    it(salience, async () => {
      const scores = await unitSaliences(model(), rows, salience, {});
      for (const [block, { kvHeads, ffn }] of model().architecture.layers.map(plainShape).entries()) {
        const relative = { relative: 1e-4 };
        assertAllClose(
          scores[block].groups,
          expected(salience, block, 'groups', kvHeads),
          relative,
          `groups of ${block}`,
        );
        const neurons = expected(salience, block, 'neurons', ffn);
        // A signed sum can nearly cancel.
        const tolerance = salience === 'vectorize' ? { absolute: 1e-5 * Math.max(...neurons) } : relative;
        assertAllClose(scores[block].neurons, neurons, tolerance, `neurons of ${block}`);
      }
    });
  }
});

describe('FLAP’s metrics', () => {
  const folder = tinyCheckpoint('qwen3-qknorm');
  const model = describedModel(() => folder);

  /** Inputs of a block's last Linear for each row: [row][position] is a vector. */
  function inputs(part: 'attention' | 'ffn', block: number): (readonly Vector[])[] {
    const reference = loadReference(folder);
    return rows.map((row) => {
      let x = referenceEmbedding(reference, row);
      for (let k = 0; k <= block; k++) {
        for (const each of ['attention', 'ffn'] as const) {
          const { input, added } = referenceModule(reference, k, each, x);
          if (k === block && each === part) return input;
          x = addAll(x, added);
        }
      }
      throw new Error('unreachable');
    });
  }

  function expected(metric: FlapMetric, part: 'attention' | 'ffn', block: number): number[] {
    const perRow = inputs(part, block);
    const name = part === 'attention' ? 'self_attn.o_proj' : 'mlp.down_proj';
    const { values, shape } = loadReference(folder).tensors.get(`model.layers.${block}.${name}.weight`)!;
    const [out, channels] = shape;
    return Array.from({ length: channels }, (_, j) => {
      let [mean, fluctuation, energy] = [0, 0, 0];
      perRow.forEach((positions, n) => {
        const x = positions.map((vector) => vector[j]);
        mean = (mean * n + x.reduce((sum, value) => sum + value, 0) / x.length) / (n + 1);
        const squares = x.reduce((sum, value) => sum + (value - mean) ** 2, 0);
        fluctuation = n === 0 ? 0 : (fluctuation * (n - 1)) / n + squares / (n + 1);
        energy = (energy * n + x.reduce((sum, value) => sum + value ** 2, 0)) / (n + 1);
      });
      const column = Array.from({ length: out }, (_, i) => values[i * channels + j]);
      if (metric === 'ifv') return fluctuation;
      if (metric === 'wifv') return fluctuation * column.reduce((sum, w) => sum + w * w, 0);
      return (column.reduce((sum, w) => sum + Math.abs(w), 0) / out) * Math.sqrt(energy);
    });
  }

  for (const metric of FLAP_METRICS) {
    it(`${metric}, uniform: sums of squares for groups, the metric for neurons, the same number in every block`, async () => {
      const measured = await measureFlap(model(), rows, { metric, structure: 'ul-um' }, {});
      const { scores, layers } = await measured.choose(0.5, {});
      for (const [block, { kvHeads, ffn }] of model().architecture.layers.map(plainShape).entries()) {
        const attention = expected(metric, 'attention', block);
        const each = attention.length / kvHeads;
        const groups = Array.from({ length: kvHeads }, (_, g) =>
          attention.slice(g * each, (g + 1) * each).reduce((sum, m) => sum + m * m, 0),
        );
        assertAllClose(scores[block].groups, groups, { relative: 1e-3 }, `groups of ${block}`);
        assertAllClose(
          scores[block].neurons,
          expected(metric, 'ffn', block),
          { relative: 1e-3 },
          `neurons of ${block}`,
        );
        assert.deepEqual([layers[block].groups.length, layers[block].neurons.length], [kvHeads / 2, ffn / 2]);
      }
    });

    it(`${metric}, adaptive: z-scores of each block, the mean of a group`, async () => {
      const { scores } = await (await measureWidth(model(), rows, { method: 'flap', metric })).select({ ratio: 0.5 });
      for (const [block, { kvHeads }] of model().architecture.layers.map(plainShape).entries()) {
        const z = standardised(expected(metric, 'attention', block).map((m) => m * m));
        const each = z.length / kvHeads;
        const groups = Array.from({ length: kvHeads }, (_, g) => mean(z.slice(g * each, (g + 1) * each)));
        assertAllClose(scores[block].groups, groups, { absolute: 1e-4 }, `groups of ${block}`);
        const neurons = standardised(expected(metric, 'ffn', block));
        assertAllClose(scores[block].neurons, neurons, { absolute: 1e-4 }, `neurons of ${block}`);
      }
    });
  }
});

const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;

function standardised(values: readonly number[]): number[] {
  const center = mean(values);
  const variance = values.reduce((sum, x) => sum + (x - center) ** 2, 0) / (values.length - 1);
  return values.map((x) => (x - center) / Math.sqrt(variance));
}
