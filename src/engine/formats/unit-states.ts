/**
 * Hidden states in float16. Each is divided by its root mean square, which the norm that reads it undoes: its numbers are below
 * the root of the width then, whatever a massive activation was.
 */
import { narrow } from './narrow';
import { widen } from './widen';

/** Bytes of a state. */
export const unitStateBytes = (hidden: number): number => 2 * hidden;

/** @param states (tokens, hidden); those of zeros stay zeros @param into as many times `unitStateBytes` */
export function packStates(states: Float32Array, hidden: number, into: Uint8Array): void {
  const units = new Float32Array(states.length);
  for (let at = 0; at < states.length; at += hidden) {
    let squares = 0;
    for (let i = at; i < at + hidden; i++) squares += states[i] ** 2;
    const size = Math.sqrt(squares / hidden) || 1;
    for (let i = at; i < at + hidden; i++) units[i] = states[i] / size;
  }
  narrow(units, 'F16', into);
}

/** @returns (tokens, hidden) */
export const unpackStates = (bytes: Uint8Array): Float32Array =>
  widen(bytes, 'F16', new Float32Array(bytes.length / 2));
