/**
 * Fixes for differences between @huggingface/tokenizers 0.2.0 and the original tokenizers library. Each fix has a test
 * of the same name. When a release of the library passes that test without the fix, remove the fix.
 */
import { isObject, type JsonObject } from '../../format/json';
import {
  ByteFallbackDecoder,
  ByteLevelPreTokenizer,
  type Decoder,
  type PreTokenizer,
  SequenceDecoder,
  SequencePreTokenizer,
  type Tokenizer as LibraryTokenizer,
} from '@huggingface/tokenizers';

/** An entry of tokenizer.json's `pre_tokenizer`. */
type Stage = JsonObject;

const split = (regex: string): Stage => ({
  type: 'Split',
  pattern: { Regex: regex },
  behavior: 'Isolated',
  invert: false,
});
const sequence = (...pretokenizers: unknown[]): Stage => ({ type: 'Sequence', pretokenizers });

/**
 * Changes a `pre_tokenizer` description so that the library splits like the original:
 * - `Digits`: the library knows ASCII digits only, the original every numeric character (\p{N});
 * - `Metaspace`: the library ignores `split` (default true), which starts a new piece at every ▁;
 * - `Split`: the library loses the gaps of an inverted `Isolated`, which equals one that is not inverted. Behaviours
 * that it does not implement (`MergedWithPrevious` and others) are refused, because they would silently give wrong ids.
 */
export function fixPreTokenizer(stage: unknown): unknown {
  if (!isObject(stage)) return stage;
  switch (stage.type) {
    case 'Sequence':
      return Array.isArray(stage.pretokenizers) ? sequence(...stage.pretokenizers.map(fixPreTokenizer)) : stage;
    case 'Digits':
      return split(stage.individual_digits === true ? String.raw`\p{N}` : String.raw`\p{N}+`);
    case 'Metaspace': {
      if (stage.split === false) return stage;
      const mark = typeof stage.replacement === 'string' ? stage.replacement : '\u2581';
      return sequence(stage, split(`${mark}[^${mark}]*`));
    }
    case 'Split':
      if (stage.behavior === 'Isolated') return { ...stage, invert: false };
      if (stage.behavior === 'Removed' && stage.invert === true) return stage;
      throw new Error(`a Split pre-tokenizer with behavior ${JSON.stringify(stage.behavior)} is not supported`);
    default:
      return stage;
  }
}

/**
 * Decodes byte-fallback tokens. A run that is valid UTF-8 becomes its text; any other run becomes one U+FFFD per byte.
 * The library loses a byte order mark and replaces only the invalid part of a run.
 */
class MendedByteFallback extends ByteFallbackDecoder {
  private readonly utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

  override decode_chain(tokens: string[]): string[] {
    const texts: string[] = [];
    let run: number[] = [];
    const closeRun = () => {
      if (run.length > 0) texts.push(this.runText(run));
      run = [];
    };
    for (const token of tokens) {
      if (isByteToken(token)) {
        run.push(Number.parseInt(token.slice(3, 5), 16));
      } else {
        closeRun();
        texts.push(token);
      }
    }
    closeRun();
    return texts;
  }

  private runText(bytes: number[]): string {
    try {
      return this.utf8.decode(Uint8Array.from(bytes));
    } catch {
      return '\ufffd'.repeat(bytes.length);
    }
  }
}

/** Whether a token represents one byte, such as "<0x0A>". */
export function isByteToken(token: string): boolean {
  return /^<0x[0-9A-Fa-f]{2}>$/.test(token);
}

/**
 * GPT-2's words, which `ByteLevel` implies. JavaScript's \s includes U+FEFF and excludes U+0085; the original uses
 * White_Space.
 */
const GPT2_WORDS =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** Fixes stages of a loaded tokenizer that its description cannot fix: byte-level words and the byte fallback. */
export function fixStages(tokenizer: LibraryTokenizer): void {
  mendWords(tokenizer.pre_tokenizer);
  if (tokenizer.decoder !== null) tokenizer.decoder = fixedDecoder(tokenizer.decoder);
}

function mendWords(stage: PreTokenizer | null): void {
  if (stage instanceof SequencePreTokenizer) stage.tokenizers.forEach(mendWords);
  if (stage instanceof ByteLevelPreTokenizer) stage.pattern = GPT2_WORDS;
}

function fixedDecoder(decoder: Decoder): Decoder {
  if (decoder instanceof SequenceDecoder) decoder.decoders = decoder.decoders.map(fixedDecoder);
  return decoder instanceof ByteFallbackDecoder ? new MendedByteFallback({ type: 'ByteFallback' }) : decoder;
}

/**
 * Decodes like the original. An empty list gives '' (the library throws). Ids without a token are left out (the library
 * inserts the unknown token or fails). Spaces before punctuation are kept (the library removes them by default).
 */
export function fixedDecode(tokenizer: LibraryTokenizer, ids: readonly number[], skipSpecialTokens: boolean): string {
  const known = ids.filter((id) => tokenizer.id_to_token(id) !== undefined);
  if (known.length === 0) return '';
  return tokenizer.decode(known, { skip_special_tokens: skipSpecialTokens, clean_up_tokenization_spaces: false });
}
