/**
 * Training of a byte-level byte-pair encoding (Sennrich et al., "Neural Machine Translation of Rare Words with Subword
 * Units", 2016; on bytes as in GPT-2): the most frequent pair of neighbouring symbols becomes a symbol, again and again.
 *
 * Works on distinct words with their counts. Pair counts are kept up to date: a merge touches only the words that hold
 * the pair. Of equally frequent pairs the one with the smaller ids wins, as in the tokenizers library.
 */

export interface Merge {
  readonly left: string;
  readonly right: string;
}

interface Word {
  readonly count: number;
  symbols: number[];
}

/**
 * `size` − `alphabet.length` merges, or fewer when no pair occurs twice. `words`: how often each word occurs, spelt in
 * characters of `alphabet`.
 */
export function learnMerges(words: ReadonlyMap<string, number>, alphabet: readonly string[], size: number): Merge[] {
  const spellings = [...alphabet];
  const ids = new Map(alphabet.map((symbol, id) => [symbol, id]));
  const pairs = new PairCounts();
  const list: Word[] = [...words].map(([text, count]) => ({ count, symbols: Array.from(text, (c) => ids.get(c)!) }));
  list.forEach((word, w) => pairs.add(word, w));
  const merges: Merge[] = [];
  while (spellings.length < size) {
    const best = pairs.mostFrequent();
    if (best === undefined) break;
    const [left, right] = best;
    merges.push({ left: spellings[left], right: spellings[right] });
    const joined = spellings.push(spellings[left] + spellings[right]) - 1;
    for (const w of pairs.wordsWith(best)) {
      const word = list[w];
      pairs.remove(word);
      word.symbols = join(word.symbols, left, right, joined);
      pairs.add(word, w);
    }
  }
  return merges;
}

function join(symbols: readonly number[], left: number, right: number, joined: number): number[] {
  const result: number[] = [];
  for (let i = 0; i < symbols.length; i++) {
    if (symbols[i] === left && symbols[i + 1] === right) {
      result.push(joined);
      i++;
    } else {
      result.push(symbols[i]);
    }
  }
  return result;
}

type Pair = readonly [left: number, right: number];

/** Larger than any vocabulary: a pair as one number that sorts like the pair. */
const RADIX = 2 ** 20;

class PairCounts {
  private readonly counts = new Map<number, number>();
  /** Words that may hold a pair; those that no longer do stay listed and are passed over. */
  private readonly places = new Map<number, Set<number>>();

  add(word: Word, index: number): void {
    this.change(word, word.count);
    for (const key of keys(word)) {
      let places = this.places.get(key);
      if (places === undefined) this.places.set(key, (places = new Set()));
      places.add(index);
    }
  }

  remove(word: Word): void {
    this.change(word, -word.count);
  }

  /** A pair that occurs at least twice. */
  mostFrequent(): Pair | undefined {
    let best = -1;
    let most = 1;
    for (const [key, count] of this.counts) {
      if (count > most || (count === most && best >= 0 && key < best)) [best, most] = [key, count];
    }
    return best < 0 ? undefined : [Math.floor(best / RADIX), best % RADIX];
  }

  wordsWith([left, right]: Pair): number[] {
    return [...(this.places.get(left * RADIX + right) ?? [])];
  }

  private change(word: Word, by: number): void {
    for (const key of keys(word)) {
      const count = (this.counts.get(key) ?? 0) + by;
      if (count === 0) this.counts.delete(key);
      else this.counts.set(key, count);
    }
  }
}

function keys({ symbols }: Word): number[] {
  return symbols.slice(1).map((right, i) => symbols[i] * RADIX + right);
}
