/** How long the steps of a recipe are expected to take on this machine. */
import type { StepEstimate } from '../recipes/plan';
import type { Coppice } from './coppice';

export const stepEstimate = (_coppice: Pick<Coppice, 'speeds'>): StepEstimate | undefined => undefined;
