/**
 * Decodes token ids one at a time into text that can be shown immediately. The joined pieces equal the decode of all
 * ids, and no piece ends inside a character. A continuation starts with the ids of its prompt as those shown last: its
 * text is what it adds to the prompt's.
 *
 * Ids wait until the text can be cut after them. It cannot be cut while it ends in U+FFFD (the bytes of a character are
 * incomplete) or inside a run of byte-fallback tokens (a later invalid byte changes the whole run). A decoder may
 * handle the start of a text specially (SentencePiece drops the first space). So the waiting ids are decoded after the
 * ids shown last, and the text of those is removed.
 *
 * Its whole state is a few ids, so every step can run in another process.
 */
export interface StreamState {
  /** The ids shown last. */
  readonly shown: readonly number[];
  /** Ids whose text is not certain yet. */
  readonly waiting: readonly number[];
}

/** @param after ids before the stream, such as the prompt */
export const streamStart = (after: readonly number[] = []): StreamState => ({ shown: after, waiting: [] });

export interface StreamStep {
  /** The text that became certain, often ''. */
  readonly text: string;
  readonly state: StreamState;
}

export interface StreamSteps {
  /** Takes the next id. */
  push(state: StreamState, id: number): StreamStep;
  /** The rest, after the last id. */
  end(state: StreamState): string;
}

/**
 * What `whole` adds to `before`. Ids that end inside a character give U+FFFD, which the next ids replace: then all that
 * differs is new.
 */
export function addedText(before: string, whole: string): string {
  if (whole.startsWith(before)) return whole.slice(before.length);
  let same = 0;
  while (before[same] === whole[same]) same += 1; // ends, as `before` is no start of `whole`
  // Not within a pair of surrogates.
  if (same > 0 && /[\ud800-\udbff]/.test(whole[same - 1])) same -= 1;
  return whole.slice(same);
}

/** `holds(id)`: the text must not be cut after this id. `decode` must not skip ids. */
export function streamSteps(decode: (ids: readonly number[]) => string, holds: (id: number) => boolean): StreamSteps {
  const waitingText = ({ shown, waiting }: StreamState): string => {
    const text = decode([...shown, ...waiting]);
    return shown.length === 0 ? text : addedText(decode(shown), text);
  };
  return {
    push({ shown, waiting: before }, id) {
      const waiting = [...before, id];
      if (holds(id)) return { text: '', state: { shown, waiting } };
      const text = waitingText({ shown, waiting });
      // Ids without visible text are kept: the ids decoded in front must give at least one character.
      const kept = text === '' || text.endsWith('\ufffd');
      return kept ? { text: '', state: { shown, waiting } } : { text, state: { shown: waiting, waiting: [] } };
    },
    end: (state) => (state.waiting.length === 0 ? '' : waitingText(state)),
  };
}
