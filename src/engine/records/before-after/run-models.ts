/** Which model a run is about, and how it was computed, in words. */
import { onTop } from '../../../format/on-top';
import type { CostDigest, RunDigest } from '../digest-types';
import { type ModelRef, refOf } from './models';

export const modelOf = ({ model, removed, ...digest }: RunDigest): ModelRef =>
  refOf({ name: model.name, identity: model.identity, removed, ...onTop(digest) });

/** A model of the demo, which records name by labels. */
export const demoModel = ({ model }: RunDigest, label: string): ModelRef =>
  label === model.name ? refOf({ ...model, removed: [] }) : refOf({ name: label, removed: [] });

/** "float32 on cpu, Coppice 0.9.0" */
export const computed = ({ device, versions }: RunDigest): string =>
  [`float32 on ${device ?? 'cpu'}`, versions.split(',')[0]].filter(Boolean).join(', ');

/** A model that a run names completely. */
export const completeModel = ({ model, ...of }: NonNullable<CostDigest['of']>): ModelRef =>
  refOf({ name: model, ...of });
