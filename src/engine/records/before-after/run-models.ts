/** Which model a run is about, and how it was computed, in words. */
import { arithmeticWords, isFloat32, precisionWords } from '../../../format/arithmetic';
import { onTop } from '../../../format/on-top';
import type { CostDigest, RunDigest } from '../digest-types';
import { type ModelRef, refOf } from './models';

export const modelOf = ({ model, removed, ...digest }: RunDigest): ModelRef =>
  refOf({ name: model.name, identity: model.identity, removed, ...onTop(digest) });

/** A model of the demo, which records name by labels. */
export const demoModel = ({ model }: RunDigest, label: string): ModelRef =>
  label === model.name ? refOf({ ...model, removed: [] }) : refOf({ name: label, removed: [] });

/** "float32 on cpu, Coppice 0.9.0" */
export const computed = ({ precision, device, versions }: RunDigest): string =>
  [arithmeticWords(precision, device), versions.split(',')[0]].filter(Boolean).join(', ');

/** The part of a condition that keeps numbers of different precisions apart. */
export const precisionKey = (precision: string | null | undefined): string =>
  isFloat32(precision) ? '' : ` ${precisionWords(precision)}`;

/** A model that a run names completely. */
export const completeModel = ({ model, ...of }: NonNullable<CostDigest['of']>): ModelRef =>
  refOf({ name: model, ...of });
