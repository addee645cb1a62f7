/** The model that a GGUF file of another one has: the same numbers in other matrices. */
import { type Architecture, type LayerShape, PLAIN_STYLE } from '../architecture';
import type { FeedForward } from '../kinds';
import type { DenseFeedForward } from '../kinds/dense';
import { NO_FACTORS } from '../kinds/mamba';

/** Whether gate and up of a block lie in one matrix, and queries, keys and values do not, which no architecture of llama.cpp has. */
const isHalfFused = ({ mixer, ffn }: LayerShape): boolean =>
  !(mixer.kind === 'attention' && mixer.fused) && everyTokens(ffn)?.fused === true;

/** The FFN of a block that every token has, alone or beside experts. */
const everyTokens = (ffn: FeedForward): DenseFeedForward | undefined => (ffn.kind === 'experts' ? ffn.shared : ffn);

/** Whether the model of a file has gate and up apart: Granite 4. */
export const isTakenApart = ({ layers }: Architecture): boolean => layers.every(isHalfFused);

/** The model as a file has it; itself for most. Granite 4 without Mamba and experts becomes a Granite 3. */
export function ggufArchitecture(architecture: Architecture): Architecture {
  if (isFolded(architecture)) return withoutFactors(architecture);
  if (!isTakenApart(architecture)) return architecture;
  const layers = architecture.layers.map((layer) => withFused(layer, false));
  const isPlain = layers.every(({ mixer, ffn }) => mixer.kind === 'attention' && ffn.kind === 'dense');
  return { ...architecture, layers, ...(isPlain && { family: 'granite' }) };
}

/** The block with gate and up of the FFN that every token has in one matrix, or apart. */
export function withFused(layer: LayerShape, fused: boolean): LayerShape {
  const { ffn } = layer;
  if (ffn.kind === 'dense') return { ...layer, ffn: { ...ffn, fused } };
  return ffn.shared ? { ...layer, ffn: { ...ffn, shared: { ...ffn.shared, fused } } } : layer;
}

/** Whether the model of a file has the factors of this one in its matrices: Falcon-H1, of whose factors files say none. */
export const isFolded = ({ layers }: Architecture): boolean => layers.some(({ mixer }) => mixer.kind === 'parallel');

/** The model whose matrices have the factors. Its embedding and its head are two matrices where their factors differ from 1. */
export function withoutFactors(architecture: Architecture): Architecture {
  const { style, tied } = architecture;
  return {
    ...architecture,
    layers: architecture.layers.map(withoutFactor),
    style: { ...style, embedScale: PLAIN_STYLE.embedScale, scoreScale: null, logitScale: PLAIN_STYLE.logitScale },
    tied: tied && style.embedScale === 1 && style.logitScale === 1,
  };
}

/** llama.cpp does not load a convolution without a bias, so a file always has one. */
const withoutFactor = ({ mixer, ffn }: LayerShape): LayerShape => ({
  mixer:
    mixer.kind === 'parallel'
      ? {
          ...mixer,
          mamba: { ...mixer.mamba, factors: NO_FACTORS, kernelBias: true },
          factors: { input: 1, attention: 1, mamba: 1 },
        }
      : mixer,
  ffn: ffn.kind === 'dense' && ffn.factors ? { ...ffn, factors: { gate: 1, output: 1 } } : ffn,
});
