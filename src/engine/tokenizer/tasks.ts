/** Messages between a tokenizer's process and its parent. */
import type { ChatMessage } from './chat';
import type { TokenizerTexts } from './files';
import type { StreamState } from './stream';

export interface LoadTask {
  readonly kind: 'load';
  readonly texts: TokenizerTexts;
}

export interface EncodeTask {
  readonly kind: 'encode';
  readonly text: string;
  readonly addSpecialTokens: boolean;
}

/** Many short texts at once: a message for each takes longer than its tokens. */
export interface EncodeEachTask {
  readonly kind: 'encodeEach';
  readonly texts: readonly string[];
  readonly addSpecialTokens: boolean;
}

export interface DecodeTask {
  readonly kind: 'decode';
  readonly ids: Int32Array;
  /** Ids before them. */
  readonly after: Int32Array;
  readonly skipSpecialTokens: boolean;
}

/** The next ids of a streamed text, and whether they are the last. */
export interface StreamTask {
  readonly kind: 'stream';
  readonly state: StreamState;
  readonly ids: readonly number[];
  readonly ends: boolean;
  readonly skipSpecialTokens: boolean;
}

export interface ChatTask {
  readonly kind: 'chat';
  readonly messages: readonly ChatMessage[];
  readonly addGenerationPrompt: boolean;
}

export type Task = LoadTask | EncodeTask | EncodeEachTask | DecodeTask | StreamTask | ChatTask;

export interface Replies {
  readonly load: {
    readonly vocabularySize: number;
    readonly hasChatTemplate: boolean;
    readonly beginsWith?: number;
  };
  readonly encode: { readonly ids: Int32Array };
  /** All ids, and how many of them each text has. */
  readonly encodeEach: { readonly ids: Int32Array; readonly counts: Int32Array };
  readonly decode: { readonly text: string };
  readonly stream: { readonly text: string; readonly state: StreamState };
  readonly chat: { readonly text: string };
}

export type Reply<T extends Task> = Replies[T['kind']];

/** The answer to the oldest open task. */
export type Answer =
  | { readonly reply: Replies[keyof Replies] }
  /** An error for the user. */
  | { readonly refused: { readonly what: string; readonly why: string; readonly action: string } }
  /** A bug, with its stack. */
  | { readonly bug: string };

/**
 * Stages of the process, each reported as one character on its standard output. Output is written immediately, while a
 * message would wait until the process stops computing. Every character is also a sign of life.
 */
export const STAGES = {
  r: 'ready',
  n: 'normalizer',
  p: 'pre_tokenizer',
  m: 'model',
  t: 'post_processor',
  d: 'decoder',
  c: 'chat template',
} as const;
export type StageSign = keyof typeof STAGES;
