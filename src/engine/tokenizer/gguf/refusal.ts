/** Why a tokenizer cannot be written. The caller names the file. */
export class Refusal extends Error {
  /** @param message the reason, as a clause: "its model is Unigram" */
  constructor(
    message: string,
    readonly action = 'Write a checkpoint instead, and convert it with llama.cpp’s own tools if they know the tokenizer.',
  ) {
    super(message);
  }
}
