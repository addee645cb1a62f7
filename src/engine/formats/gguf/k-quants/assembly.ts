/**
 * Just enough of WebAssembly's binary format for functions on vectors of four float32, whose arithmetic rounds as that of `Math.fround`
 * does. Loops over the numbers of a part are unrolled where they are emitted (lanes.ts).
 * Source: the WebAssembly core specification 2.0, chapter 5.
 */

/** Bytes that leave a value on the stack, or none. */
export type Code = readonly number[];

/** A local of a function. */
export interface Local {
  readonly get: Code;
  readonly set: (value: Code) => Code;
}

const F32 = 0x7d;
const V128 = 0x7b;
const F32_BYTES = 4;

function leb(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const more = rest > 127;
    bytes.push((rest & 127) | (more ? 128 : 0));
    rest >>>= 7;
  } while (rest > 0);
  return bytes;
}

const bytesOf = (value: number): number[] => [...new Uint8Array(Float32Array.of(value).buffer)];

/** An instruction on vectors. */
const vector =
  (opcode: number) =>
  (...operands: readonly Code[]): Code => [...operands.flat(), 0xfd, ...leb(opcode)];

export const add = vector(0xe4);
export const sub = vector(0xe5);
export const mul = vector(0xe6);
export const div = vector(0xe7);
export const negated = vector(0xe1);
export const magnitude = vector(0xe0);
/** Whole numbers; halves go to even ones. */
export const nearest = vector(0x6a);
/** The second where it is less than the first. */
export const lesser = vector(0xea);
/** The second where the first is less. */
export const greater = vector(0xeb);
/** Lanes are all bits or none. */
export const isEqual = vector(0x41);
export const isLess = vector(0x43);
export const isGreater = vector(0x44);
export const both = vector(0x4e);
export const not = vector(0x4d);
/** The first where the third, a comparison, holds; else the second. */
export const select = vector(0x52);

/** The same number in every lane. */
export const every = (value: number): Code => [0xfd, 0x0c, ...[0, 1, 2, 3].flatMap(() => bytesOf(value))];
export const splat = (value: Code): Code => [...value, 0xfd, 0x13];

/** Memory begins at 0, and addresses are constants. @param at in float32 numbers */
const address = (at: number): Code => [0x02, ...leb(F32_BYTES * at)];
const ZERO: Code = [0x41, 0];
export const load = (at: number): Code => [...ZERO, 0xfd, 0x00, ...address(at)];
export const store = (at: number, value: Code): Code => [...ZERO, ...value, 0xfd, 0x0b, ...address(at)];

/** Scalars. */
export const number = (value: number): Code => [0x43, ...bytesOf(value)];
export const plus = (a: Code, b: Code): Code => [...a, ...b, 0x92];
export const times = (a: Code, b: Code): Code => [...a, ...b, 0x94];

/** Runs `body` again as long as the scalar `a` is at most `b` afterwards. */
export const repeat = (body: Code, a: Code, b: Code): Code => [
  ...[0x03, 0x40, ...body],
  ...[...a, ...b, 0x5f], // f32.le
  ...[0x0d, 0, 0x0b],
];

/** If any lane holds. */
export const ifAny = (condition: Code, body: Code): Code => [...condition, 0xfd, 0x53, 0x04, 0x40, ...body, 0x0b];

/** A function of scalars that returns nothing. */
export class Routine {
  private readonly kinds: number[] = [];

  constructor(
    readonly name: string,
    private readonly parameters: number,
  ) {}

  /** A scalar that the caller gives, by its number. */
  parameter(index: number): Code {
    return [0x20, ...leb(index)];
  }

  scalar(): Local {
    return this.local(F32);
  }

  vector(): Local {
    return this.local(V128);
  }

  private local(kind: number): Local {
    const index = leb(this.parameters + this.kinds.length);
    this.kinds.push(kind);
    return { get: [0x20, ...index], set: (value) => [...value, 0x21, ...index] };
  }

  /** Its type, and its body. */
  encoded(body: Code): { readonly type: Code; readonly code: Code } {
    const locals = this.kinds.flatMap((kind) => [1, kind]);
    const code = [...leb(this.kinds.length), ...locals, ...body, 0x0b];
    return {
      type: [0x60, ...leb(this.parameters), ...Array<number>(this.parameters).fill(F32), 0],
      code: [...leb(code.length), ...code],
    };
  }
}

/** A module with one page of memory, exported as "memory", and these functions. */
export function moduleOf(routines: readonly { readonly routine: Routine; readonly body: Code }[]): Uint8Array {
  const section = (id: number, ...entries: readonly Code[]): Code => {
    const content = [...leb(entries.length), ...entries.flat()];
    return [id, ...leb(content.length), ...content];
  };
  const text = (name: string): Code => [...leb(name.length), ...new TextEncoder().encode(name)];
  const encoded = routines.map(({ routine, body }) => routine.encoded(body));
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, ...encoded.map(({ type }) => type)),
    ...section(3, ...routines.map((_, index) => leb(index))),
    ...section(5, [0, 1]),
    ...section(
      7,
      [...text('memory'), 2, 0],
      ...routines.map(({ routine }, i) => [...text(routine.name), 0, ...leb(i)]),
    ),
    ...section(10, ...encoded.map(({ code }) => code)),
  ]);
}
