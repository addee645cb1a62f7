/** All files of an ONNX folder besides the models. */
import { requireArchitecture } from '../../../checkpoint/open';
import type { Checkpoint } from '../../../checkpoint/types';
import { runsInGenai } from '../notes';
import type { OnnxModelFacts } from '../write-onnx';
import { generationConfig, onnxConfig, readGenerationConfig } from './config';
import { exampleFiles } from './examples';
import type { FolderFile } from './facts';
import { genaiConfig } from './genai';
import { folderReadme, type ReadmeFacts } from './readme';
import { onnxTokenizer } from './tokenizer';

export interface FolderOptions extends Omit<ReadmeFacts, 'genai' | 'tokenizer'> {
  /** Blocks of the checkpoint that are written, in their order; all when undefined. */
  readonly kept?: readonly number[];
}

/**
 * The files, in the order in which a reader may want them. Writes nothing.
 * @throws UserError when the checkpoint has no tokenizer, or when one of its files cannot be read
 */
export async function onnxFolderFiles(
  checkpoint: Checkpoint,
  facts: OnnxModelFacts,
  options: FolderOptions,
): Promise<FolderFile[]> {
  const { kept = [...requireArchitecture(checkpoint).layers.keys()] } = options;
  const [tokenizer, generation] = await Promise.all([onnxTokenizer(checkpoint), readGenerationConfig(checkpoint)]);
  const genai = runsInGenai(facts.architecture);
  return [
    { name: 'README.md', text: await folderReadme(checkpoint, facts, { ...options, kept, genai, tokenizer }) },
    { name: 'config.json', text: onnxConfig(checkpoint, facts, kept) },
    { name: 'generation_config.json', text: generationConfig(generation, checkpoint) },
    ...(genai ? [{ name: 'genai_config.json', text: genaiConfig(checkpoint, facts, generation) }] : []),
    ...tokenizer.files,
    ...exampleFiles(facts, genai),
  ];
}
