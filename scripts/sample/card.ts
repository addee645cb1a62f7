/** The sample model's card: its README.md. Every number in it was measured on the checkpoint as it is shipped. */
import { MODEL_CONFIG, TRAINING } from './config';

export interface PartFacts {
  /** File of stories, without its folder. */
  readonly file: string;
  readonly sha256: string;
  readonly trainStories: number;
  readonly heldOutStories: number;
  /** Mean token loss in nats on the part that was learnt from, and on the held-out tenth. */
  readonly trainLoss: number;
  readonly heldOutLoss: number;
}

export interface CardFacts {
  readonly parameters: number;
  readonly trainTokens: number;
  readonly parts: readonly PartFacts[];
  /** Over all parts. */
  readonly trainLoss: number;
  readonly heldOutLoss: number;
  /** Held-out loss in bits per byte of text, which does not depend on the tokenizer. */
  readonly heldOutBitsPerByte: number;
  readonly bestStep: number;
  /** Steps that were taken, of those planned. */
  readonly steps: number;
  readonly minutes: number;
  /** Rise of the mean token loss on the calibration text when a block is skipped, block by block. */
  readonly lossRise: readonly number[];
  readonly samples: readonly Sample[];
}

export interface Sample {
  readonly prompt: string;
  readonly continuation: string;
}

export function sampleCard(facts: CardFacts): string {
  return `${FRONT}
${introduction(facts)}

## Files

- \`model.safetensors\`, \`config.json\`, \`tokenizer.json\`, \`tokenizer_config.json\`: a Hugging Face checkpoint.
- \`calibration.txt\`: short stories, one per paragraph, to score blocks on. Written for this project.
- \`evaluation.txt\`: other short stories, to measure perplexity on. Written for this project.
- \`retrain.jsonl\`: short stories, one per line in \`text\`, to retrain a pruned model with. Written for this project.

${making(facts)}

## Loss

Mean token loss in nats, in adjacent windows of ${MODEL_CONFIG.max_position_embeddings} tokens:

| | trained on | held out |
| --- | --- | --- |
${facts.parts.map((p) => `| ${p.file} | ${nats(p.trainLoss)} | ${nats(p.heldOutLoss)} |`).join('\n')}
| together | ${nats(facts.trainLoss)} | ${nats(facts.heldOutLoss)} |

Held out: ${facts.heldOutBitsPerByte.toFixed(3)} bits per byte of text, perplexity ${Math.exp(facts.heldOutLoss).toFixed(1)} per token.

## Cost of skipping a block

Rise of the mean token loss on \`calibration.txt\`, 10 rows of 128 tokens:

| block | ${facts.lossRise.map((_, block) => block).join(' | ')} |
| --- |${' --- |'.repeat(facts.lossRise.length)}
| nats | ${facts.lossRise.map((rise) => rise.toFixed(2)).join(' | ')} |

## Sample text

Greedy decoding, with the prompt in bold:

${facts.samples.map(quote).join('\n\n')}

## License

Weights, tokenizer and texts in this folder are under the Apache License 2.0, like the rest of the project. The stories
that the model was trained on are part of TinyStories (Eldan and Li, 2023), which is under CDLA-Sharing-1.0. They are not part of this folder.
`;
}

const FRONT = `---
license: apache-2.0
language:
- en
library_name: transformers
pipeline_tag: text-generation
datasets:
- roneneldan/TinyStories
tags:
- coppice
---
`;

function introduction({ parameters }: CardFacts): string {
  const { num_hidden_layers: blocks, hidden_size: hidden, vocab_size: vocabulary } = MODEL_CONFIG;
  return `# Coppice's sample model

A Llama of ${(parameters / 1e6).toFixed(1)} million parameters that writes short stories for children: ${blocks} blocks, hidden size ${hidden}, ${MODEL_CONFIG.num_attention_heads} query heads on
${MODEL_CONFIG.num_key_value_heads} key-value heads, FFN ${MODEL_CONFIG.intermediate_size}, a vocabulary of ${vocabulary}, context ${MODEL_CONFIG.max_position_embeddings}, bfloat16. It exists to be pruned: small enough to be scored, pruned and
retrained in a minute, deep enough that the choice of blocks matters. It knows only stories for small children and has no
other use.`;
}

function making(facts: CardFacts): string {
  const { learningRate, warmup, weightDecay, beta1, beta2, clip, batch } = TRAINING;
  const files = facts.parts.map(
    (p) =>
      `- \`${p.file}\` (SHA-256 \`${p.sha256}\`): ${p.trainStories} stories trained on, the last ${p.heldOutStories}, a tenth of the file, held out`,
  );
  return `## How it was made

By \`npm run sample:train\`, from nothing, with Coppice's own trainer (gradients as onnxruntime graphs, no other framework):
${facts.steps} steps in ${Math.round(facts.minutes)} minutes on two cores, with the weights of step ${facts.bestStep}, which had the lowest held-out loss.
AdamW (β ${beta1}, ${beta2}; weight decay ${weightDecay} on matrices), peak learning rate ${learningRate} after ${warmup} steps, then linear to 0; gradients clipped to
norm ${clip}; ${batch} × ${MODEL_CONFIG.max_position_embeddings} tokens a step, no dropout. The tokenizer is a byte-level BPE trained on the same stories, which cuts texts into words as Llama 3 does. They have ${facts.trainTokens}
tokens, so every story was read about ${Math.round((facts.bestStep * batch * MODEL_CONFIG.max_position_embeddings) / facts.trainTokens)} times:

${files.join('\n')}

Before training, typographic quotes and dashes, many of them garbled, were replaced by plain ASCII.`;
}

function nats(loss: number): string {
  return loss.toFixed(3);
}

function quote({ prompt, continuation }: Sample): string {
  return `**${prompt}**${continuation}`
    .split('\n')
    .map((line) => `> ${line}`.trimEnd())
    .join('\n');
}
