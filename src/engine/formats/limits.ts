/**
 * Caps on everything that a checkpoint's files declare, checked before memory is allocated. Each is well above the
 * values of real models and far below harmful values.
 */

/** The format's own limit (the reference reader refuses more); the largest real headers are near 20 MB. */
export const MAX_HEADER_BYTES = 100_000_000;

/** Read in one go from the start of a shard: the header of a shard with some hundred tensors fits. */
export const FIRST_READ_BYTES = 16 * 1024;

/**
 * Tensors of a whole checkpoint. Mixtures with hundreds of experts per layer store about 100 000, quantized ones three
 * times as many.
 */
export const MAX_TENSORS = 1_000_000;

/** Names are dotted module paths; the longest known, in multimodal models, stay below 200 characters. */
export const MAX_NAME_LENGTH = 2048;

/** Weights have up to 2 axes, convolutions up to 5. */
export const MAX_RANK = 16;

/** A header is an object of objects of lists and has no deeper levels. */
export const HEADER_DEPTH = 3;

/** `config.json` has a few kilobytes, or up to a megabyte if it lists every quantized module. */
export const MAX_CONFIG_BYTES = 10_000_000;

/** Entries of one object or list in a config; the longest lists name every quantized module. */
export const MAX_CONFIG_ENTRIES = 100_000;

/** Configs nest by sub-model and quantized module: real ones have 5 levels. The cap also keeps recursion shallow. */
export const CONFIG_DEPTH = 32;

/** The index names every tensor once: 9 MB for 91 000 tensors in 163 shards. */
export const MAX_INDEX_BYTES = 100_000_000;

/** The root and its `weight_map`; `metadata` may hold a nested note. */
export const INDEX_DEPTH = 8;

/** The hub's own readers have the same limit. */
export const MAX_SHARDS = 10_000;

/** Files open at once: enough to hide a slow disk's latency, few enough for any limit on open files. */
export const OPEN_SHARDS = 16;

/** Headers of GGUF files hold the vocabulary: 10 to 30 MB with 256 000 tokens and as many merges. */
export const MAX_GGUF_HEADER_BYTES = 256 * 1024 * 1024;

/** Metadata entries of a GGUF file: about 50 in real ones. */
export const MAX_GGUF_ENTRIES = 100_000;

/** The format's own limit on a key. */
export const MAX_GGUF_KEY = 65_535;

/** Bytes of a tensor's name in a GGUF file: ggml keeps 64 with the zero at its end, and refuses longer ones. */
export const MAX_GGUF_TENSOR_NAME = 63;

/** Bytes kept of a text in a GGUF file's metadata. Chat templates and licences reach 30 kB. */
export const GGUF_KEPT_TEXT = 100_000;

/** Items kept of a list in a GGUF file's metadata. The rest is skipped. */
export const GGUF_KEPT_ITEMS = 32;

/** Items of a list that is kept whole: vocabularies reach 262 144 tokens, and lists of merges 500 000. */
export const MAX_GGUF_WHOLE_LIST = 2 ** 22;

/** Real files have lists of numbers and texts, but no lists of lists. */
export const GGUF_ARRAY_DEPTH = 4;

/** Numbers of an importance matrix: about a thousandth of the model's, 25 MB for 7 billion parameters. */
export const MAX_IMATRIX_BYTES = 4 * 1024 ** 3;

/** Columns of a matrix in one: the widest FFNs have 53 248, and experts lie side by side. */
export const MAX_IMATRIX_COLUMNS = 2 ** 24;

/** Caps on the config's numbers. They keep every product that Coppice computes an exact integer. */
export const MAX_DIMENSION = {
  /** The deepest published model has 126 blocks; merging creates deeper stacks. */
  blocks: 4096,
  /** Llama 3.1 405B: 16 384. */
  hidden: 2 ** 18,
  /** Llama 3.1 405B: 128. */
  heads: 2 ** 12,
  /** 256 in the widest heads. */
  headDim: 2 ** 13,
  /** Llama 3.1 405B: 53 248. */
  ffn: 2 ** 20,
  /** Of a block; 512 in the widest mixtures. */
  experts: 2 ** 13,
  /** 262 144 in the largest multilingual vocabularies. */
  vocabulary: 2 ** 24,
  /** Models advertise up to 10 million positions. */
  context: 2 ** 31,
} as const;

/** Questions of a task: HellaSwag's validation part has 12 MB, its training part 47 MB. */
export const MAX_TASK_BYTES = 64 * 1024 * 1024;

/** Choices of one item: the seven tasks have up to 5. */
export const MAX_CHOICES = 64;

/** Tokens that a written answer may ask for. */
export const MAX_ANSWER_TOKENS = 4096;

/** Characters of what is expected; a regular expression of this length is compiled in milliseconds. */
export const MAX_EXPECTED_LENGTH = 10_000;
