/** A `tokenizer.json` whose tokens are the 256 bytes and two specials: byte-level BPE without a single merge. */

export const BOS = 256;
export const EOS = 257;
export const BYTE_VOCABULARY = 258;

/** The files `tokenizer.json` and `tokenizer_config.json`, as values. */
export function byteTokenizer(): { tokenizer: Record<string, unknown>; tokenizerConfig: Record<string, unknown> } {
  const special = (id: number, content: string): Record<string, unknown> => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  });
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  const vocab = Object.fromEntries(byteSymbols().map((symbol, byte) => [symbol, byte]));
  const tokenizer = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [special(BOS, '<s>'), special(EOS, '</s>')],
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: {
      type: 'TemplateProcessing',
      single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
      pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }],
      special_tokens: { '<s>': { id: '<s>', ids: [BOS], tokens: ['<s>'] } },
    },
    decoder: byteLevel,
    model: { type: 'BPE', vocab: { ...vocab, '<s>': BOS, '</s>': EOS }, merges: [] },
  };
  return {
    tokenizer,
    tokenizerConfig: { tokenizer_class: 'PreTrainedTokenizerFast', bos_token: '<s>', eos_token: '</s>' },
  };
}

/**
 * How byte-level BPE writes each byte as one visible character: printable Latin-1 stands for itself, the others are
 * numbered from U+0100 up.
 */
function byteSymbols(): string[] {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    return String.fromCharCode(printable ? byte : next++);
  });
}
