/** What agents are told. English, as the command line is: a model reads it. */

/** For the client, which may hand it to its model. */
export const INSTRUCTIONS = [
  'Coppice makes a language model smaller and faster by removing whole Transformer blocks, and heals the rest.',
  'Usual order: inspect the checkpoint, score its blocks, plan what to remove, prune into a new folder, heal, evaluate.',
  'Checkpoints are folders in Hugging Face format or .gguf files on this machine. Originals are never changed.',
  'A job that takes long answers at once with an id: ask for its status, and do not start it twice.',
].join('\n');
