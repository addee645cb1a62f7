/**
 * Decodes token ids one at a time into text that can be shown at once. The pieces joined are exactly the decode of all
 * ids, and no piece ends inside a character.
 *
 * Ids wait until the text may be cut after them: not while it ends in U+FFFD (the bytes of a character are still
 * incomplete), nor inside a run of byte-fallback tokens (an invalid byte later in the run changes the whole run).
 * A decoder may treat the start of a text specially (SentencePiece drops the first space), so the waiting ids are
 * decoded behind the ids shown last, whose own text is then taken off.
 *
 * All that it knows is in a state of a few ids, so that every step can be taken in another process.
 */
export interface StreamState {
  /** The ids shown last. */
  readonly shown: readonly number[];
  /** Ids whose text is not certain yet. */
  readonly waiting: readonly number[];
}

export const STREAM_START: StreamState = { shown: [], waiting: [] };

export interface StreamStep {
  /** What became certain, often ''. */
  readonly text: string;
  readonly state: StreamState;
}

export interface StreamSteps {
  /** Takes the next id. */
  push(state: StreamState, id: number): StreamStep;
  /** The rest, once no more ids come. */
  end(state: StreamState): string;
}

/** `holds(id)`: the text must not be cut after this id. `decode` must leave out no id that it is given. */
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
      // Ids without visible text stay: the ids decoded in front must stand for at least one character.
      const kept = text === '' || text.endsWith('\ufffd');
      return kept ? { text: '', state: { shown, waiting } } : { text, state: { shown: waiting, waiting: [] } };
    },
    end: (state) => (state.waiting.length === 0 ? '' : waitingText(state)),
  };
}
