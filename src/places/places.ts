/** Every place, in the order of lists. */
import { aiToolkit, foundryLocal } from './genai-places';
import { huggingFace } from './hugging-face';
import { llamaServer } from './llama-server';
import { lmStudio } from './lm-studio';
import { ollama } from './ollama';
import type { Place, PlaceName } from './place';

export const PLACES: Readonly<Record<PlaceName, Place>> = {
  ollama,
  'lm-studio': lmStudio,
  'ai-toolkit': aiToolkit,
  'foundry-local': foundryLocal,
  'hugging-face': huggingFace,
  'llama-server': llamaServer,
};
