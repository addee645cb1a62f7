/** The words of a text that another text does not have: those outside their longest common subsequence. */

export interface Span {
  readonly text: string;
  readonly differs: boolean;
}

/** Only the beginning of longer texts is compared, because the table grows with the square of the length. */
const MAX_WORDS = 1500;

/** Splits `text` into spans and marks those that `reference` does not have. Joined, the spans are `text`. */
export function differences(text: string, reference: string): Span[] {
  const words = split(text);
  const others = split(reference).slice(0, MAX_WORDS);
  const compared = words.slice(0, MAX_WORDS);
  const common = commonWords(compared, others);
  const spans: { text: string; differs: boolean }[] = [];
  for (const [i, word] of words.entries()) {
    const differs = i < compared.length ? !common[i] : true;
    const last = spans.at(-1);
    if (last?.differs === differs) last.text += word;
    else spans.push({ text: word, differs });
  }
  return spans;
}

/** Splits a text into words, each with the white space before it. */
const split = (text: string): string[] => text.match(/\s*\S+|\s+$/g) ?? [];

/** Which words of `a` belong to a longest common subsequence with `b`. */
function commonWords(a: readonly string[], b: readonly string[]): boolean[] {
  const [left, right] = [a.map((word) => word.trim()), b.map((word) => word.trim())];
  const width = b.length + 1;
  const lengths = new Uint16Array((a.length + 1) * width); // entry (i, j) is for the suffixes from i and j
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const at = i * width + j;
      lengths[at] = left[i] === right[j] ? lengths[at + width + 1] + 1 : Math.max(lengths[at + width], lengths[at + 1]);
    }
  }
  const common = a.map(() => false);
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    const at = i * width + j;
    if (left[i] === right[j]) {
      common[i++] = true;
      j++;
    } else if (lengths[at + width] >= lengths[at + 1]) i++;
    else j++;
  }
  return common;
}
