/**
 * The reference's own angles of the rotary embedding, from what transformers documents for each `rope_type`. Shares no
 * code with the engine.
 */

/** The object of a config that says how the rotation is scaled; in transformers 5 with the base. */
export interface RopeSettings {
  readonly rope_theta?: number;
  readonly rope_type?: string;
  /** The name of `rope_type` before transformers 4.43. */
  readonly type?: string;
  readonly partial_rotary_factor?: number;
  readonly factor?: number;
  readonly original_max_position_embeddings?: number;
  readonly attention_factor?: number | null;
  // llama3
  readonly low_freq_factor?: number;
  readonly high_freq_factor?: number;
  // yarn
  readonly beta_fast?: number | null;
  readonly beta_slow?: number | null;
  readonly mscale?: number | null;
  readonly mscale_all_dim?: number | null;
  readonly truncate?: boolean;
  // longrope
  readonly short_factor?: readonly number[];
  readonly long_factor?: readonly number[];
}

/** What a rotation is made of. */
export interface RopeDefinition {
  readonly settings: RopeSettings;
  readonly theta: number;
  /** Entries of a head that turn. */
  readonly turned: number;
  /** `max_position_embeddings` */
  readonly context: number;
  /** The context of the original training, where the top level of the config says one. */
  readonly original?: number;
}

/** The rotation in a sequence of some length. */
export interface ReferenceRotation {
  /** Radians a position, for each pair (i, i + n) of the first 2 n entries of a head. */
  readonly frequencies: readonly number[];
  /** Factor of cosines and sines. */
  readonly magnitude: number;
}

/** @param length tokens of the sequence */
export function rotationOf(rope: RopeDefinition, length: number): ReferenceRotation {
  const { settings, theta } = rope;
  const plain = powers(theta, rope.turned);
  const kind = settings.rope_type ?? settings.type ?? 'default';
  switch (kind) {
    case 'default':
      return { frequencies: plain, magnitude: 1 };
    case 'linear':
      return { frequencies: plain.map((frequency) => frequency / settings.factor!), magnitude: 1 };
    case 'llama3':
      return { frequencies: plain.map((frequency) => llama3Frequency(frequency, rope)), magnitude: 1 };
    case 'dynamic':
      return { frequencies: dynamicFrequencies(rope, length), magnitude: 1 };
    case 'yarn':
      return yarn(rope, plain);
    case 'longrope':
      return longRope(rope, plain, length);
    default:
      throw new Error(`the reference knows no rope type ${kind}`);
  }
}

/** base^(−2j/n) for the pairs j of n entries */
const powers = (base: number, entries: number): number[] =>
  Array.from({ length: entries / 2 }, (_, j) => base ** ((-2 * j) / entries));

/**
 * LLaMA 3.1: pairs that turn often within the original context keep their frequency, those that turn seldom are
 * slowed by `factor`, and those between are interpolated linearly in their number of turns.
 */
function llama3Frequency(frequency: number, { settings, original }: RopeDefinition): number {
  const context = original ?? settings.original_max_position_embeddings!;
  const turns = (context * frequency) / (2 * Math.PI);
  const kept = (turns - settings.low_freq_factor!) / (settings.high_freq_factor! - settings.low_freq_factor!);
  const share = clamp(kept);
  return share * frequency + (1 - share) * (frequency / settings.factor!);
}

/** Dynamic NTK: past the context N, the base grows with the length T: θ (f T/N − (f − 1))^(n / (n − 2)). */
function dynamicFrequencies({ settings, theta, turned, context }: RopeDefinition, length: number): number[] {
  const factor = settings.factor!;
  const stretch = (factor * Math.max(context, length)) / context - (factor - 1);
  return powers(theta * stretch ** (turned / (turned - 2)), turned);
}

/** YaRN: between two pairs, found by their turns within the original context, a ramp goes from kept to slowed. */
function yarn({ settings, theta, turned, context }: RopeDefinition, plain: readonly number[]): ReferenceRotation {
  const original = settings.original_max_position_embeddings ?? context;
  const factor = settings.factor ?? context / original;
  const at = (turns: number): number => (turned * Math.log(original / (2 * Math.PI * turns))) / (2 * Math.log(theta));
  const whole = settings.truncate !== false;
  const fast = at(settings.beta_fast ?? 32);
  const slow = at(settings.beta_slow ?? 1);
  const low = Math.max(0, whole ? Math.floor(fast) : fast);
  const high = Math.min(turned - 1, whole ? Math.ceil(slow) : slow);
  const width = high === low ? 0.001 : high - low;
  const frequencies = plain.map((frequency, j) => {
    const ramp = clamp((j - low) / width);
    return frequency * (1 - ramp) + (frequency / factor) * ramp;
  });
  const m = (k: number): number => (factor <= 1 ? 1 : 0.1 * k * Math.log(factor) + 1);
  const { mscale, mscale_all_dim: overall } = settings;
  const usual = mscale && overall ? m(mscale) / m(overall) : m(1);
  return { frequencies, magnitude: settings.attention_factor ?? usual };
}

/** LongRoPE: a divisor for each pair, from one of two lists: past the original context, the long one. */
function longRope(
  { settings, context, original: top }: RopeDefinition,
  plain: readonly number[],
  length: number,
): ReferenceRotation {
  const original = top ?? settings.original_max_position_embeddings ?? context;
  const divisors = length > original ? settings.long_factor! : settings.short_factor!;
  const stretch = settings.factor ?? context / original;
  const usual = stretch <= 1 ? 1 : Math.sqrt(1 + Math.log(stretch) / Math.log(original));
  return {
    frequencies: plain.map((frequency, j) => frequency / divisors[j]),
    magnitude: settings.attention_factor ?? usual,
  };
}

const clamp = (x: number): number => Math.min(1, Math.max(0, x));
