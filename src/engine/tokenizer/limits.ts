/** Caps on what a checkpoint declares about its tokenizer, checked before anything is made of it. */

const MiB = 2 ** 20;

/** Gemma 3 has the largest known tokenizer.json, 33 MB for 262 144 tokens. */
export const TOKENIZER_CAP = 128 * MiB;

/** Gemma 3 has 1.2 MB, with a description of each reserved token. */
export const SETTINGS_CAP = 16 * MiB;

/** Ids index an array in the library; Gemma 3 has 262 144, and no known model has a million. */
export const ID_CAP = 2 ** 22;

/** Characters of all tokens of a GGUF file together: Gemma 3 has 2 million. */
export const TOKEN_TEXT_CAP = 2 ** 23;

/** Characters of all merges of a GGUF file together. A merge is the two parts of a token. */
export const MERGE_TEXT_CAP = 2 ** 25;

/** Characters of a piece, at each of which it is split for its merges. SentencePiece makes them of 16 at most; Gemma has 31. */
export const PIECE_CAP = 256;
