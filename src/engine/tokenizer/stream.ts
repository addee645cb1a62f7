/**
 * Decodes token ids one at a time into text that can be shown immediately. The joined pieces equal the decode of all
 * ids, and no piece ends inside a character.
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

export const STREAM_START: StreamState = { shown: [], waiting: [] };

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

/** `holds(id)`: the text must not be cut after this id. `decode` must not skip ids. */
export function streamSteps(decode: (ids: readonly number[]) => string, holds: (id: number) => boolean): StreamSteps {
  const waitingText = ({ shown, waiting }: StreamState): string => {
    const before = shown.length === 0 ? 0 : decode(shown).length;
    return decode([...shown, ...waiting]).slice(before);
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
