/**
 * Decodes token ids one at a time into text that can be shown at once. The pieces joined are exactly the decode of all
 * ids, and no piece ends inside a character.
 *
 * Ids wait until the text may be cut after them: not while it ends in U+FFFD (the bytes of a character are still
 * incomplete), nor inside a run of byte-fallback tokens (an invalid byte later in the run changes the whole run).
 * A decoder may treat the start of a text specially (SentencePiece drops the first space), so the waiting ids are
 * decoded behind the ids shown last, whose own text is then taken off.
 */
export interface StreamDecoder {
  /** Takes the next id; returns the text that became certain, often ''. */
  push(id: number): string;
  /** The rest, once no more ids come. */
  end(): string;
}

/** `holds(id)`: the text must not be cut after this id. `decode` must leave out no id that it is given. */
export function createStreamDecoder(decode: (ids: number[]) => string, holds: (id: number) => boolean): StreamDecoder {
  let shown: number[] = [];
  let shownText = '';
  let waiting: number[] = [];

  const waitingText = () => decode([...shown, ...waiting]).slice(shownText.length);
  const release = (text: string) => {
    // Ids without visible text stay: the ids decoded in front must stand for at least one character.
    if (text === '') return text;
    shown = waiting;
    shownText = decode(shown);
    waiting = [];
    return text;
  };

  return {
    push(id) {
      waiting.push(id);
      if (holds(id)) return '';
      const text = waitingText();
      return text.endsWith('\ufffd') ? '' : release(text);
    },
    end: () => (waiting.length === 0 ? '' : release(waitingText())),
  };
}
