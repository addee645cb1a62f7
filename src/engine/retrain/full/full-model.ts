/**
 * Trains every weight of a model, or of some of its blocks: continued pre-training (the later version of Shortened
 * LLaMA, arXiv 2402.02834v2), or training from scratch. A tied embedding is one parameter with two gradients.
 */
import { type Architecture, withLayers } from '../../checkpoint/architecture';
import { RESIDUAL } from '../../checkpoint/kinds';
import { layerKeys, type WeightKey, weightKeys, weightOf } from '../../checkpoint/weight-key';
import { outerWeights } from '../../checkpoint/weight-names';
import { float32, type Tensor } from '../../onnx/session';
import { Random } from '../../random';
import { graphKey } from '../../model/graph-key';
import { bindFrom, bindInputs, inputName } from '../../model/binding';
import type { Model } from '../../model/model';
import { stepsOf, type View } from '../../model/view';
import { TOKENS_PER_RUN } from '../amounts';
import type { Parameter, Parameters } from '../loop/adamw';
import { frozenBlockParameters, fullBlockParameters } from '../../model/full-graph';
import type { TrainableModel, TrainedEmbedding, TrainedStep } from '../loop/trainable-model';

/** The weights of a view, under their names in the pruned model. */
function weightsOfView({ architecture }: Pick<Model, 'architecture'>, view: View): Map<string, WeightKey> {
  const blocks = stepsOf(view).map(({ block }) => block);
  const pruned = withLayers(architecture, blocks);
  const named = [...weightKeys(pruned)].map((key): [string, WeightKey] => {
    const whole = typeof key === 'string' ? key : { ...key, layer: blocks[key.layer] };
    return [weightOf(pruned, key)!.name, whole];
  });
  return new Map(named);
}

/**
 * The model's own weights, in float32. Matrices decay, vectors do not.
 * @param trained the steps of the view whose weights are trained; undefined for all weights of the model
 */
export async function loadedParameters(
  { architecture, weights }: Model,
  view: View,
  trained?: readonly number[],
): Promise<Map<string, Parameter>> {
  const steps = stepsOf(view);
  const blocks = trained && new Set(trained.map((k) => steps[k].block));
  const parameters = new Map<string, Parameter>();
  for (const [name, key] of weightsOfView({ architecture }, view)) {
    if (blocks && (typeof key === 'string' || !blocks.has(key.layer))) continue;
    const shape = weights.shape(key);
    parameters.set(name, { values: await weights.read(key), shape, decays: shape.length > 1 });
  }
  return parameters;
}

/** Standard deviation of initial matrices, as in GPT-2 and most configs. */
const INITIAL_DEVIATION = 0.02;

/**
 * Random initial weights: normal with deviation 0.02, divided by √(2L) for matrices that add to the residual stream
 * (GPT-2); norms are one, biases zero.
 */
export function randomParameters(model: Model, view: View, seed: number): Map<string, Parameter> {
  const random = new Random(seed);
  const steps = stepsOf(view).length;
  const parameters = new Map<string, Parameter>();
  for (const [name, key] of weightsOfView(model, view)) {
    const { shape } = weightOf(model.architecture, key)!;
    const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
    if (shape.length > 1) {
      const residual = typeof key !== 'string' && RESIDUAL.has(key.name);
      const deviation = residual ? INITIAL_DEVIATION / Math.sqrt(2 * steps) : INITIAL_DEVIATION;
      for (let i = 0; i < values.length; i++) values[i] = deviation * random.normal();
    } else if (typeof key === 'string' || !key.name.endsWith('Bias')) {
      // The norm in a delta net multiplies by its weight, whatever the others do.
      values.fill(typeof key !== 'string' && key.name === 'deltaNorm' ? 1 : 1 - model.architecture.style.normOffset);
    }
    parameters.set(name, { values, shape, decays: shape.length > 1 });
  }
  return parameters;
}

/**
 * The model with its weights trained.
 * @param parameters as `loadedParameters` gives them: of every weight, or of some blocks. All else is frozen
 */
export function fullModel(model: Model, view: View, parameters: ReadonlyMap<string, Parameter>): TrainableModel {
  const { architecture, embedding } = model;
  const { embed, finalNorm, head } = outerWeights(architecture);
  const table = parameters.get(embed.name);
  return {
    embedding: table
      ? trainedEmbedding(embed.name, table, architecture)
      : {
          lookUp: async (ids, into) => {
            await embedding.lookUp(ids, into);
          },
        },
    steps: trainedSteps(model, view, parameters),
    head: table
      ? {
          options: { bind: (g) => bindInputs(g, architecture), trainable: true },
          feeds: { finalNorm: tensor(parameters, finalNorm.name), head: tensor(parameters, head.name) },
          names: new Map([
            ['finalNorm', finalNorm.name],
            ['head', head.name],
          ]),
        }
      : { options: {}, feeds: {}, names: new Map() },
    parameters,
    tokensPerRun: TOKENS_PER_RUN.full,
    bytesPerWeight: 4,
  };
}

function trainedSteps({ architecture, weights }: Model, view: View, parameters: Parameters): TrainedStep[] {
  const steps = stepsOf(view);
  const pruned = withLayers(
    architecture,
    steps.map(({ block }) => block),
  );
  return steps.map((step, k) => {
    const names = new Map(layerKeys(pruned, k).map((key) => [inputName(key), weightOf(pruned, key)!.name]));
    if (![...names.values()].some((name) => parameters.has(name))) {
      return {
        step,
        sessionKey: `frozen ${k}`, // its weights are in the graph
        declare: (g) => frozenBlockParameters(g, architecture, step.block, bindFrom(g, weights)),
        feeds: {},
        names: new Map(),
        dropoutSites: [],
      };
    }
    return {
      step,
      sessionKey: graphKey(architecture, step),
      declare: (g) => fullBlockParameters(g, architecture, step.block, bindInputs(g, architecture)),
      feeds: Object.fromEntries([...names].map(([key, name]) => [key, tensor(parameters, name)])),
      names,
      dropoutSites: [],
    };
  });
}

function trainedEmbedding(
  name: string,
  { values: table }: Parameter,
  { hidden, style: { embedScale } }: Architecture,
): TrainedEmbedding {
  const scale = Math.fround(embedScale);
  return {
    lookUp: (ids, into) => {
      for (const [i, id] of ids.entries()) {
        for (let j = 0; j < hidden; j++) into[i * hidden + j] = scale * table[id * hidden + j];
      }
      return Promise.resolve();
    },
    addGradient: (ids, gradient, sums) => {
      let sum = sums.get(name);
      if (!sum) sums.set(name, (sum = new Float32Array(table.length)));
      for (const [i, id] of ids.entries()) {
        for (let j = 0; j < hidden; j++) sum[id * hidden + j] += scale * gradient[i * hidden + j];
      }
    },
  };
}

function tensor(parameters: Parameters, name: string): Tensor {
  const { values, shape } = parameters.get(name)!;
  return float32(values, shape);
}
