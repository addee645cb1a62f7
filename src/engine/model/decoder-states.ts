/**
 * What mixers other than attention carry from token to token, for each text and each of their blocks: states of one size, whatever
 * the length of the text. Every run returns them as a whole. What was read cannot be taken back from them.
 */
import type { Architecture } from '../checkpoint/architecture';
import { carriedBy } from '../checkpoint/kinds/parts';
import { float32, floats, type Feeds, type Tensor } from '../onnx/session';
import { mixersOf } from './decode-graph';
import { stateNames } from './flow';
import type { Segment } from './segments';

/** Some consecutive texts. */
export interface SomeTexts {
  readonly first: number;
  readonly count: number;
}

/** One state of a block, of all texts: (texts, …). */
interface State {
  readonly name: string;
  readonly extents: readonly number[];
  tensor: Tensor;
}

export class DecoderStates {
  private readonly states = new Map<number, readonly State[]>();
  private texts = 0;

  constructor(
    private readonly architecture: Architecture,
    private readonly segments: readonly Segment[],
  ) {}

  /** Forgets all; that many texts start over. */
  restart(texts: number): void {
    this.dispose();
    this.texts = texts;
    for (const { block } of this.segments.flatMap((segment) => this.carrying(segment))) {
      const carried = Object.entries(carriedBy(this.architecture.layers[block])!);
      const states = carried.map(([name, extents]): State => ({ name, extents, tensor: zeros([texts, ...extents]) }));
      this.states.set(block, states);
    }
  }

  /** One text starts over. */
  clear(text: number): void {
    for (const { tensor } of this.all()) {
      const size = floats(tensor).length / this.texts;
      floats(tensor).fill(0, text * size, (text + 1) * size);
    }
  }

  /** Forgets all but some texts. @param kept indices, ascending */
  keep(kept: readonly number[]): void {
    for (const state of this.all()) {
      const whole = floats(state.tensor);
      const size = whole.length / this.texts;
      const fewer = zeros([kept.length, ...state.extents]);
      kept.forEach((text, i) => floats(fewer).set(whole.subarray(text * size, (text + 1) * size), i * size));
      state.tensor = fewer;
    }
    this.texts = kept.length;
  }

  /** What a segment is fed for some texts; it shares the states' memory. */
  feeds(segment: Segment, { first, count }: SomeTexts): Feeds {
    const feeds: Record<string, Tensor> = {};
    for (const [index, state] of this.of(segment)) {
      const { tensor, extents, name } = state;
      feeds[stateNames(index, name).past] =
        count === this.texts
          ? tensor
          : float32(part(floats(tensor), this.texts, { first, count }), [count, ...extents]);
    }
    return feeds;
  }

  /** Names of the results that a run of a segment has. */
  results(segment: Segment): string[] {
    return this.of(segment).map(([index, { name }]) => stateNames(index, name).present);
  }

  /** Takes over what a run returned for some texts. */
  adopt(segment: Segment, result: Readonly<Record<string, Tensor>>, texts: SomeTexts): void {
    for (const [index, state] of this.of(segment)) {
      const found = result[stateNames(index, state.name).present];
      if (texts.count < this.texts) part(floats(state.tensor), this.texts, texts).set(floats(found));
      else {
        state.tensor.dispose();
        state.tensor = found;
      }
    }
  }

  /** The states of a block by name; none for one with attention. */
  ofBlock(block: number): Readonly<Record<string, Tensor>> {
    return Object.fromEntries((this.states.get(block) ?? []).map(({ name, tensor }) => [name, tensor]));
  }

  dispose(): void {
    for (const { tensor } of this.all()) tensor.dispose();
    this.states.clear();
  }

  private all(): State[] {
    return [...this.states.values()].flat();
  }

  /** The states of a segment, with the number of their step among those that carry some. */
  private of(segment: Segment): (readonly [index: number, state: State])[] {
    return this.carrying(segment).flatMap(({ block }, index) =>
      this.states.get(block)!.map((state) => [index, state] as const),
    );
  }

  private carrying({ steps }: Segment): ReturnType<typeof mixersOf>['carrying'] {
    return mixersOf(this.architecture, steps).carrying;
  }
}

const zeros = (shape: readonly number[]): Tensor => float32(new Float32Array(shape.reduce((a, b) => a * b)), shape);

/** The numbers of some of `texts` texts. */
function part(numbers: Float32Array, texts: number, { first, count }: SomeTexts): Float32Array {
  const size = numbers.length / texts;
  return numbers.subarray(first * size, (first + count) * size);
}
