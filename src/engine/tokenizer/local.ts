/**
 * The tokenizer itself: @huggingface/tokenizers over tokenizer.json, with the fixes of fixes.ts. Ids equal those of the
 * original tokenizers library. Of tokenizer_config.json, the chat template and `add_bos_token` are used. It runs in the tokenizer's
 * process (tokenizer.ts says why), or in any process if the files are trusted.
 */
import { BPE, MetaspacePreTokenizer, type Model, Tokenizer as LibraryTokenizer } from '@huggingface/tokenizers';
import { isObject, type JsonObject } from '../../format/json';
import { messageOf, UserError } from '../errors';
import { option } from '../option-token';
import { MergeBoundaryPreTokenizer } from './boundaries';
import { type ChatMessage, chatTemplate, type RenderChat } from './chat';
import {
  parseTokenizerFiles,
  readTokenizerTexts,
  type TokenizerDescription,
  tokenizerPlace,
  type TokenizerTexts,
} from './files';
import {
  type Encode,
  fixedDecode,
  fixedEncode,
  fixPostProcessor,
  fixPreTokenizer,
  fixReplace,
  fixStages,
} from './fixes';
import { isByteToken } from './gguf/token-types';
import { MendedSplit } from './split';
import { addedText, type StreamState, streamSteps } from './stream';
import { STAGES, type StageSign } from './tasks';
import type { DecodeOptions, EncodeOptions } from './tokenizer';

/** Like `Tokenizer`, but synchronous and in this process. */
export interface LocalTokenizer {
  readonly vocabularySize: number;
  readonly hasChatTemplate: boolean;
  /** As in `Tokenizer`. */
  readonly beginsWith: number | undefined;
  encode(text: string, options: EncodeOptions): number[];
  decode(ids: readonly number[], options: DecodeOptions): string;
  /** Streaming decode steps; `ends` marks the last one. */
  stream(state: StreamState, ids: readonly number[], options: DecodeOptions & { readonly ends: boolean }): Streamed;
  chat(messages: readonly ChatMessage[], options: { readonly addGenerationPrompt: boolean }): string;
}

interface Streamed {
  readonly text: string;
  readonly state: StreamState;
}

/** Called at every stage of a text, and ten times a second within the longest stages. */
export type Sign = (stage: StageSign) => void;

const INSTEAD = `Give token ids instead of text: a calibration file {"rows": [[ids]]}, a prompt as ${option('ids')}.`;
/** Words between two checks of the clock. */
const SLICE = 256;
const SIGN_MS = 100;

/** Loads the tokenizer of trusted files into this process. Throws `UserError` like `loadTokenizer`. */
export async function loadLocalTokenizer(place: string): Promise<LocalTokenizer> {
  return buildTokenizer(await readTokenizerTexts(place));
}

/** Throws `UserError` with file and field for unusable content. */
export function buildTokenizer(texts: TokenizerTexts, sign: Sign = () => undefined): LocalTokenizer {
  const files = parseTokenizerFiles(texts);
  const file = tokenizerPlace(texts);
  const stages = new Stages(file, sign);
  const library = stages.guard(() => {
    // Passes no settings: they are for Python classes, and the original library does not know them.
    const made = new LibraryTokenizer(fixed(files.description), {});
    fixStages(made);
    cutAtMergeBoundaries(made, files.description);
    return made;
  });
  stages.watch(library);
  const specialIds = new Set(
    files.description.added_tokens.filter((t) => t.special === true).map((t) => t.id as number),
  );
  return new LoadedTokenizer(
    library,
    stages,
    specialIds,
    chatTemplate(files, texts.folder),
    texts.folder,
    bosOf(files.settings),
  );
}

const fixed = (description: TokenizerDescription): TokenizerDescription => ({
  ...description,
  normalizer: fixReplace(description.normalizer),
  pre_tokenizer: fixPreTokenizer(description.pre_tokenizer),
  post_processor: fixPostProcessor(description.post_processor),
  decoder: fixReplace(description.decoder),
});

/** `add_bos_token` of tokenizer_config.json, and its token. */
interface BosSetting {
  /** Undefined if the settings do not say it. */
  readonly adds: boolean | undefined;
  readonly token: string | undefined;
}

/** The token may be an object with its details. */
function bosOf({ add_bos_token: adds, bos_token: token }: JsonObject): BosSetting {
  const content = isObject(token) ? token.content : token;
  return {
    adds: typeof adds === 'boolean' ? adds : undefined,
    token: typeof content === 'string' ? content : undefined,
  };
}

/** Stages after which a whole text may be one word: Gemma's splits at blanks that its normalizer has replaced. */
const LONG_WORDS = [MetaspacePreTokenizer, MendedSplit];

/**
 * Used if nothing else cuts the text into words (see boundaries.ts). Not used with the rarer BPE options, because it
 * would not be exact.
 */
function cutAtMergeBoundaries(library: LibraryTokenizer, { model }: TokenizerDescription): void {
  const { pre_tokenizer: inner, model: bpe } = library;
  if (!(bpe instanceof BPE) || (inner !== null && !LONG_WORDS.some((stage) => inner instanceof stage))) return;
  const plain = !model.ignore_merges && !model.end_of_word_suffix && !model.continuing_subword_prefix;
  if (plain) library.pre_tokenizer = new MergeBoundaryPreTokenizer(bpe.merges, inner);
}

/** A stage of the library, as a function. */
interface Callable {
  _call(...args: unknown[]): unknown;
}

/** Tracks and reports the stage of the library, and names it when the library throws. */
class Stages {
  private stage: StageSign | undefined;

  constructor(
    private readonly file: string,
    private readonly sign: Sign,
  ) {}

  watch(library: LibraryTokenizer): void {
    this.watchCalls(library.normalizer, 'n');
    this.watchCalls(library.pre_tokenizer, 'p');
    this.watchCalls(library.post_processor, 't');
    this.watchCalls(library.decoder, 'd');
    if (library.model !== null) this.watchModel(library.model);
  }

  /** Runs `work` of the library. Its errors are caused by the file. */
  guard<T>(work: () => T): T {
    this.stage = undefined;
    try {
      return work();
    } catch (error) {
      if (error instanceof UserError) throw error;
      const said = messageOf(error);
      // Messages of the library help the user; internal errors in its code do not.
      const own = error instanceof Error && !(error instanceof TypeError) && !(error instanceof RangeError);
      throw this.fault(own ? said : `the tokenizers library cannot work with it (${said})`, error);
    }
  }

  /** The error for a tokenizer.json that the library cannot use. */
  fault(why: string, cause?: unknown): UserError {
    const field = this.stage === undefined ? '' : `its "${STAGES[this.stage]}" fails: `;
    return new UserError(`Cannot use ${this.file}`, `${field}${why}`, INSTEAD, { cause });
  }

  private enter(stage: StageSign): void {
    this.stage = stage;
    this.sign(stage);
  }

  private watchCalls(part: Callable | null, stage: StageSign): void {
    if (part === null) return;
    const call = part._call.bind(part);
    part._call = (...args: unknown[]): unknown => {
      this.enter(stage);
      return call(...args);
    };
  }

  /** The library's models process words one by one, so slices give the same result. */
  private watchModel(model: Model): void {
    const encode = model.encode.bind(model);
    model.encode = (words) => {
      this.enter('m');
      if (words.length <= SLICE) return encode(words);
      const tokens: string[] = [];
      let last = performance.now();
      for (let start = 0; start < words.length; start += SLICE) {
        for (const token of encode(words.slice(start, start + SLICE))) tokens.push(token);
        if (performance.now() - last < SIGN_MS) continue;
        this.enter('m');
        last = performance.now();
      }
      return tokens;
    };
  }
}

class LoadedTokenizer implements LocalTokenizer {
  readonly vocabularySize: number;
  readonly beginsWith: number | undefined;
  private readonly encodeTokens: Encode;
  /** What is done with the ids of a text that gets special tokens: the settings may differ from the post-processor. */
  private readonly mend: (ids: number[]) => number[];

  constructor(
    private readonly library: LibraryTokenizer,
    private readonly stages: Stages,
    private readonly specialIds: ReadonlySet<number>,
    private readonly renderChat: RenderChat | undefined,
    private readonly folder: string,
    setting: BosSetting,
  ) {
    this.vocabularySize = library.model?.vocab.length ?? 0;
    this.encodeTokens = fixedEncode(library);
    const put = this.putBefore();
    const wanted = setting.token === undefined ? undefined : library.token_to_id(setting.token);
    // As stock transformers do: the setting, where it is given, stands above the post-processor.
    const adds = setting.adds ?? put !== undefined;
    this.beginsWith = adds ? (put ?? wanted) : undefined;
    if (put === undefined && this.beginsWith !== undefined) this.mend = (ids) => [this.beginsWith!, ...ids];
    else if (put !== undefined && !adds) this.mend = (ids) => ids.slice(1);
    else this.mend = (ids) => ids;
  }

  get hasChatTemplate(): boolean {
    return this.renderChat !== undefined;
  }

  encode(text: string, { addSpecialTokens }: EncodeOptions): number[] {
    const ids = this.plainEncode(text, addSpecialTokens);
    return addSpecialTokens ? this.mend(ids) : ids;
  }

  /** The token that the post-processor puts before a text; undefined if none, or if it fails, which a text then tells. */
  private putBefore(): number | undefined {
    const text = 'text';
    try {
      const tokens = this.stages.guard(() => this.library.post_processor?.([text], null, true).tokens ?? [text]);
      return tokens[0] === text ? undefined : this.library.token_to_id(tokens[0]);
    } catch {
      return undefined;
    }
  }

  private plainEncode(text: string, addSpecialTokens: boolean): number[] {
    return this.stages.guard(() => {
      return this.encodeTokens(text, addSpecialTokens).map((token) => {
        const id = this.library.token_to_id(token) ?? this.library.model?.unk_token_id ?? NaN;
        if (Number.isNaN(id)) throw this.stages.fault(`the token ${JSON.stringify(token)} has no id`);
        return id;
      });
    });
  }

  decode(ids: readonly number[], { skipSpecialTokens, after = [] }: DecodeOptions): string {
    const text = (some: readonly number[]): string =>
      this.stages.guard(() => fixedDecode(this.library, some, skipSpecialTokens));
    return after.length === 0 ? text(ids) : addedText(text(after), text([...after, ...ids]));
  }

  stream(
    start: StreamState,
    ids: readonly number[],
    { skipSpecialTokens, ends }: DecodeOptions & { readonly ends: boolean },
  ): Streamed {
    const steps = streamSteps(
      (some) => this.decode(some, { skipSpecialTokens: false }),
      (id) => isByteToken(this.library.id_to_token(id) ?? ''),
    );
    const hasText = (id: number): boolean =>
      this.library.id_to_token(id) !== undefined && !(skipSpecialTokens && this.specialIds.has(id));
    let text = '';
    let state: StreamState = { ...start, shown: start.shown.filter(hasText) }; // which may be a prompt
    for (const id of ids) {
      if (!hasText(id)) continue;
      const step = steps.push(state, id);
      text += step.text;
      state = step.state;
    }
    return { text: ends ? text + steps.end(state) : text, state };
  }

  chat(messages: readonly ChatMessage[], options: { readonly addGenerationPrompt: boolean }): string {
    if (this.renderChat === undefined) {
      throw new UserError(
        `Cannot write a conversation for ${this.folder}`,
        'it has no chat template, neither in tokenizer_config.json nor as chat_template.jinja',
        'Give the prompt as plain text instead.',
      );
    }
    return this.renderChat(messages, options);
  }
}
