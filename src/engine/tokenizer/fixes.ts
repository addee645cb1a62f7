/**
 * Fixes for differences between @huggingface/tokenizers 0.2.0 and the original tokenizers library. Each fix has a test
 * of the same name. When a release of the library passes that test without the fix, remove the fix.
 */
import { isObject, type JsonObject } from '../../format/json';
import {
  ByteFallbackDecoder,
  ByteLevelPreTokenizer,
  type Decoder,
  MetaspaceDecoder,
  type Model,
  type PreTokenizer,
  SequenceDecoder,
  SequencePreTokenizer,
  SplitPreTokenizer,
  type Tokenizer as LibraryTokenizer,
} from '@huggingface/tokenizers';
import { isByteToken } from './gguf/token-types';
import { AddedTokens } from './added-tokens';
import { MendedSplit } from './split';

/** An entry of tokenizer.json, such as its `pre_tokenizer`. */
type Stage = JsonObject;

const split = (regex: string, behavior: unknown = 'Isolated'): Stage => ({
  type: 'Split',
  pattern: { Regex: regex },
  behavior,
  invert: false,
});
const sequence = (...pretokenizers: unknown[]): Stage => ({ type: 'Sequence', pretokenizers });

/** Unicode's punctuation, and the rest of ASCII's. */
const PUNCTUATION = String.raw`[\p{P}$+<=>^` + '`|~]';
const WORD = String.raw`\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\u200c\u200d`;

/**
 * Changes a `pre_tokenizer` description so that the library splits like the original:
 * - `Digits`: the library knows ASCII digits only, the original every numeric character (\p{N});
 * - `Metaspace`: the library ignores `split` (default true), which starts a new piece at every ▁;
 * - `Punctuation`: the library joins neighbouring marks, whatever the `behavior`;
 * - `Whitespace` and `WhitespaceSplit`: JavaScript's \w is ASCII, and its \s is not White_Space.
 */
export function fixPreTokenizer(stage: unknown): unknown {
  if (!isObject(stage)) return stage;
  switch (stage.type) {
    case 'Sequence':
      return Array.isArray(stage.pretokenizers) ? sequence(...stage.pretokenizers.map(fixPreTokenizer)) : stage;
    case 'Digits':
      return split(stage.individual_digits === true ? String.raw`\p{N}` : String.raw`\p{N}+`);
    case 'Punctuation':
      return split(PUNCTUATION, stage.behavior ?? undefined);
    case 'Whitespace':
      return sequence(split(String.raw`\p{White_Space}`, 'Removed'), split(`[${WORD}]+`));
    case 'WhitespaceSplit':
      return split(String.raw`\p{White_Space}`, 'Removed');
    case 'Metaspace': {
      if (stage.split === false) return stage;
      const mark = typeof stage.replacement === 'string' ? stage.replacement : '\u2581';
      return sequence(stage, split(`${mark}[^${mark}]*`));
    }
    default:
      return stage;
  }
}

/**
 * Changes a `normalizer` or `decoder` description: the library reads "$" in the content of a `Replace` as JavaScript
 * does, where "$&" is what was found.
 */
export function fixReplace(stage: unknown): unknown {
  if (!isObject(stage)) return stage;
  if (stage.type === 'Replace' && typeof stage.content === 'string') {
    return { ...stage, content: stage.content.replaceAll('$', '$$$$') };
  }
  for (const list of ['normalizers', 'decoders']) {
    const stages = stage[list];
    if (stage.type === 'Sequence' && Array.isArray(stages)) return { ...stage, [list]: stages.map(fixReplace) };
  }
  return stage;
}

/**
 * Changes a `post_processor` description: a special token of a `TemplateProcessing` stands for the tokens that
 * `special_tokens` gives its name. The library takes the name for the token.
 */
export function fixPostProcessor(stage: unknown): unknown {
  if (!isObject(stage)) return stage;
  if (stage.type === 'Sequence' && Array.isArray(stage.processors)) {
    return { ...stage, processors: stage.processors.map(fixPostProcessor) };
  }
  if (stage.type !== 'TemplateProcessing' || !Array.isArray(stage.single)) return stage;
  const single = stage.single.flatMap((item: unknown) => tokensOf(item, stage.special_tokens));
  return { ...stage, single };
}

function tokensOf(item: unknown, names: unknown): unknown[] {
  const special = isObject(item) ? item.SpecialToken : undefined;
  if (!isObject(special) || typeof special.id !== 'string' || !isObject(names)) return [item];
  const named = Object.hasOwn(names, special.id) ? names[special.id] : undefined;
  if (!isObject(named) || !Array.isArray(named.tokens)) return [item];
  return named.tokens.map((token: unknown) => ({ SpecialToken: { ...special, id: token } }));
}

/**
 * Decodes ▁ as the original does: in the first token every ▁ is left out, unless `prepend_scheme` is "never". The
 * library leaves out the first one, whatever the scheme.
 */
class MendedMetaspace extends MetaspaceDecoder {
  override decode_chain(tokens: string[]): string[] {
    const prepends = (this.config as unknown as Stage).prepend_scheme !== 'never';
    return tokens.map((token, i) => token.replaceAll(this.replacement, i === 0 && prepends ? '' : ' '));
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

/**
 * GPT-2's words, which `ByteLevel` implies. JavaScript's \s includes U+FEFF and excludes U+0085; the original uses
 * White_Space.
 */
const GPT2_WORDS =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/**
 * Fixes stages of a loaded tokenizer that its description cannot fix: splits, byte-level words, unknown tokens, the byte
 * fallback and Metaspace.
 */
export function fixStages(tokenizer: LibraryTokenizer): void {
  if (tokenizer.pre_tokenizer !== null) tokenizer.pre_tokenizer = fixedPreTokenizer(tokenizer.pre_tokenizer);
  if (tokenizer.decoder !== null) tokenizer.decoder = fixedDecoder(tokenizer.decoder);
  if (tokenizer.model?.fuse_unk === true) fuseWithinWords(tokenizer.model);
}

/** @throws Error for a Split that cannot be done */
function fixedPreTokenizer(stage: PreTokenizer): PreTokenizer {
  if (stage instanceof SequencePreTokenizer) {
    stage.tokenizers = stage.tokenizers.map((each) => each && fixedPreTokenizer(each));
  }
  if (stage instanceof ByteLevelPreTokenizer) stage.pattern = GPT2_WORDS;
  return stage instanceof SplitPreTokenizer ? new MendedSplit(stage) : stage;
}

function fixedDecoder(decoder: Decoder): Decoder {
  if (decoder instanceof SequenceDecoder) decoder.decoders = decoder.decoders.map(fixedDecoder);
  if (decoder instanceof MetaspaceDecoder)
    return new MendedMetaspace(decoder.config as ConstructorParameters<typeof MetaspaceDecoder>[0]);
  return decoder instanceof ByteFallbackDecoder ? new MendedByteFallback({ type: 'ByteFallback' }) : decoder;
}

/** The original joins unknown characters that follow each other in one word, the library also those of two words. */
function fuseWithinWords(model: Model): void {
  const encode = model.encode.bind(model);
  const isUnknown = (token: string): boolean =>
    (model.tokens_to_ids.get(token) ?? model.unk_token_id) === model.unk_token_id;
  model.encode = (words) =>
    words.flatMap((word) =>
      encode([word]).filter((token, i, all) => i === 0 || !isUnknown(token) || !isUnknown(all[i - 1])),
    );
  model.fuse_unk = false;
}

/** Gives the tokens of a text. Their ids are those of the library's vocabulary. */
export type Encode = (text: string, addSpecialTokens: boolean) => string[];

/** Encodes like the original, which finds the added tokens of a text in another way than the library (AddedTokens). */
export function fixedEncode(tokenizer: LibraryTokenizer): Encode {
  const { normalizer, post_processor: around } = tokenizer;
  const added = new AddedTokens(
    tokenizer.get_added_tokens_decoder().values(),
    normalizer === null ? undefined : (text) => normalizer(text),
  );
  return (text, addSpecialTokens) => {
    const tokens = added.sections(text).flatMap((section) => {
      if ('token' in section) return [section.token];
      const options = { section_index: section.first ? 0 : 1 };
      const words = tokenizer.pre_tokenizer?.(section.text, options) ?? [section.text];
      return tokenizer.model!(words);
    });
    return around === null ? tokens : around(tokens, null, addSpecialTokens).tokens;
  };
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
