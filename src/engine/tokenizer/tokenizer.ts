/**
 * A checkpoint's tokenizer: @huggingface/tokenizers over tokenizer.json, with the mends of mends.ts. Ids are those of the
 * original tokenizers library; tokenizer_config.json serves the chat template only.
 */
import { BPE, MetaspacePreTokenizer, Tokenizer as LibraryTokenizer } from '@huggingface/tokenizers';
import { join } from 'node:path';
import { UserError } from '../errors';
import { MergeBoundaryPreTokenizer } from './boundaries';
import { type ChatMessage, chatTemplate, type RenderChat } from './chat';
import { readTokenizerFiles, type TokenizerDescription } from './files';
import { isByteToken, mendedDecode, mendPreTokenizer, mendStages } from './mends';
import { createStreamDecoder, type StreamDecoder } from './stream';

export type { ChatMessage, StreamDecoder };

export interface DecodeOptions {
  /** Leaves out the special tokens (begin and end of text, chat marks). */
  readonly skipSpecialTokens: boolean;
}

export interface Tokenizer {
  /** One more than the largest id. A model's vocabulary is often padded beyond it. */
  readonly vocabularySize: number;
  readonly hasChatTemplate: boolean;
  /** Token ids of `text`; with `addSpecialTokens` also those that the tokenizer puts around a text, such as BOS. */
  encode(text: string, options: { readonly addSpecialTokens: boolean }): number[];
  /** Text of `ids`; ids that are no token give no text. */
  decode(ids: readonly number[], options: DecodeOptions): string;
  /** Decodes ids as they come: the pieces joined equal `decode` of all. Special tokens are skipped unless said otherwise. */
  streamDecoder(options?: DecodeOptions): StreamDecoder;
  /** The conversation as the checkpoint's chat template writes it. Throws `UserError` where there is none or it fails. */
  chat(messages: readonly ChatMessage[], options: { readonly addGenerationPrompt: boolean }): string;
}

/** Loads the tokenizer of a checkpoint's folder. Throws `UserError` when there is none or it cannot be used. */
export async function loadTokenizer(folder: string): Promise<Tokenizer> {
  const files = await readTokenizerFiles(folder);
  const file = join(folder, 'tokenizer.json');
  let library: LibraryTokenizer;
  try {
    const preTokenizer = mendPreTokenizer(files.description.pre_tokenizer);
    // No settings: they hold habits of one Python class each, which the original library does not know.
    library = new LibraryTokenizer({ ...files.description, pre_tokenizer: preTokenizer }, {});
  } catch (error) {
    throw new UserError(
      `Cannot use ${file}`,
      error instanceof Error ? error.message : String(error),
      'Give token ids instead of text: a calibration file {"rows": [[ids]]}, a prompt as --ids.',
      { cause: error },
    );
  }
  mendStages(library);
  cutAtMergeBoundaries(library, files.description);
  const specialIds = new Set(
    files.description.added_tokens.filter((t) => t.special === true).map((t) => t.id as number),
  );
  return new LoadedTokenizer(library, specialIds, chatTemplate(files, folder), folder);
}

/** Where nothing else cuts the text into words (see boundaries.ts). Not exact, so not done, with the rarer BPE options. */
function cutAtMergeBoundaries(library: LibraryTokenizer, { model }: TokenizerDescription): void {
  const { pre_tokenizer: inner, model: bpe } = library;
  if (!(bpe instanceof BPE) || (inner !== null && !(inner instanceof MetaspacePreTokenizer))) return;
  const plain = !model.ignore_merges && !model.end_of_word_suffix && !model.continuing_subword_prefix;
  if (plain) library.pre_tokenizer = new MergeBoundaryPreTokenizer(bpe.merges, inner);
}

class LoadedTokenizer implements Tokenizer {
  readonly vocabularySize: number;

  constructor(
    private readonly library: LibraryTokenizer,
    private readonly specialIds: ReadonlySet<number>,
    private readonly renderChat: RenderChat | undefined,
    private readonly folder: string,
  ) {
    this.vocabularySize = library.model?.vocab.length ?? 0;
  }

  get hasChatTemplate(): boolean {
    return this.renderChat !== undefined;
  }

  encode(text: string, { addSpecialTokens }: { readonly addSpecialTokens: boolean }): number[] {
    return this.library.encode(text, { add_special_tokens: addSpecialTokens }).ids;
  }

  decode(ids: readonly number[], { skipSpecialTokens }: DecodeOptions): string {
    return mendedDecode(this.library, ids, skipSpecialTokens);
  }

  streamDecoder({ skipSpecialTokens }: DecodeOptions = { skipSpecialTokens: true }): StreamDecoder {
    const decoder = createStreamDecoder(
      (ids) => this.decode(ids, { skipSpecialTokens: false }),
      (id) => isByteToken(this.library.id_to_token(id) ?? ''),
    );
    const unseen = (id: number) =>
      this.library.id_to_token(id) === undefined || (skipSpecialTokens && this.specialIds.has(id));
    return { push: (id) => (unseen(id) ? '' : decoder.push(id)), end: () => decoder.end() };
  }

  chat(messages: readonly ChatMessage[], options: { readonly addGenerationPrompt: boolean }): string {
    if (this.renderChat === undefined) {
      throw new UserError(
        `Cannot write a conversation for ${this.folder}`,
        'its tokenizer_config.json has no chat template',
        'Give the prompt as plain text instead.',
      );
    }
    return this.renderChat(messages, options);
  }
}
