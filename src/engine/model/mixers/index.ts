/** The computation of each kind of mixer. */
import type { Mixer } from '../../checkpoint/kinds';
import type { Compute } from '../parts';
import { attention } from './attention';

const MIXERS: { readonly [K in Mixer['kind']]: Compute<Extract<Mixer, { kind: K }>> } = { attention };

export const mix: Compute<Mixer> = (g, x, shape, parts) => MIXERS[shape.kind](g, x, shape, parts);
