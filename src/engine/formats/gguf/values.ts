/** Values of the metadata by type. */
import type { GgufValue } from './layout';

export const u32 = (value: number): GgufValue => ({ type: 'u32', value });
export const f32 = (value: number): GgufValue => ({ type: 'f32', value });
export const bool = (value: boolean): GgufValue => ({ type: 'bool', value });
export const text = (value: string): GgufValue => ({ type: 'string', value });
export const texts = (values: readonly string[]): GgufValue => ({ type: 'array', of: 'string', values });
