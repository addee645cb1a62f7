/** The two 16-bit float formats, to and from their bits; written from their definitions, apart from the engine. */

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** Rounds to nearest, ties to even, and gives the bits of the bfloat16: the upper half of the float32. */
export function toBfloat16(value: number): number {
  float[0] = value;
  if (Number.isNaN(value)) return 0x7fc0;
  const lower = bits[0] & 0xffff;
  const upper = bits[0] >>> 16;
  const up = lower > 0x8000 || (lower === 0x8000 && (upper & 1) === 1);
  return up ? upper + 1 : upper;
}

export function fromBfloat16(half: number): number {
  bits[0] = half << 16;
  return float[0];
}

/** Rounds to nearest, ties to even, and gives the bits of the IEEE binary16 (5 exponent bits, 10 of fraction). */
export function toFloat16(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  if (magnitude >= 65520) return sign | 0x7c00; // rounds to infinity
  const exponent = Math.max(-14, Math.floor(Math.log2(magnitude || 2 ** -24)));
  const ulp = 2 ** (exponent - 10);
  const steps = roundTiesToEven(magnitude / ulp); // 1024 … 2048 when normal, below 1024 when subnormal
  return sign | (exponent === -14 ? steps : ((exponent + 14) << 10) + steps);
}

export function fromFloat16(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}

function roundTiesToEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}
