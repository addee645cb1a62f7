/** The computation of each kind of mixer. */
import type { Mixer } from '../../checkpoint/kinds';
import type { Compute } from '../parts';
import { attention } from './attention';
import { deltaNet } from './delta-net';
import { mamba } from './mamba';
import { parallel } from './parallel';
import { shortConvolution } from './short-convolution';

const MIXERS: { readonly [K in Mixer['kind']]: Compute<Extract<Mixer, { kind: K }>> } = {
  attention,
  convolution: shortConvolution,
  mamba,
  deltaNet,
  parallel,
};

export const mix: Compute<Mixer> = (g, x, shape, parts) => (MIXERS[shape.kind] as Compute<Mixer>)(g, x, shape, parts);
