/** The model that a GGUF file of another one has: the same numbers in other matrices. */
import type { Architecture, LayerShape } from '../architecture';

/** Whether gate and up of a block lie in one matrix, and queries, keys and values do not, which no architecture of llama.cpp has. */
const isHalfFused = ({ mixer, ffn }: LayerShape): boolean =>
  mixer.kind === 'attention' && !mixer.fused && ffn.kind === 'dense' && ffn.fused;

/** Whether the model of a file has gate and up apart: Granite 4 without Mamba, which becomes a Granite 3. */
export const isTakenApart = ({ layers }: Architecture): boolean => layers.every(isHalfFused);

/** The model as a file has it; itself for most. */
export function ggufArchitecture(architecture: Architecture): Architecture {
  if (!isTakenApart(architecture)) return architecture;
  const layers = architecture.layers.map((layer) => ({
    ...layer,
    ffn: layer.ffn.kind === 'dense' ? { ...layer.ffn, fused: false } : layer.ffn,
  }));
  return { ...architecture, family: 'granite', layers };
}
