/** What a job needs so that its work can be cut into parts: how a part is measured, and how parts become the result. */
import type { TextFit } from '../../format/text-fit';
import type { Meeting } from '../../engine/heal/shared';
import type { Part } from '../../engine/parts/part';
import type { Share } from '../../engine/parts/split';
import type { RunPrecision } from '../../engine/precision';
import type { RunDetails } from '../../engine/records/details';
import type { Fault } from '../define';
import type { OptionsFor } from '../kinds';
import type { JobContext, RunEnd } from '../run';
import type { RunResult } from '../runs';
import type { CutKind } from './part-record';

/** A measured part, before it is a record. Frame and data are JSON. */
export interface MeasuredPart {
  readonly share?: Share;
  /** What it computed, in words. */
  readonly work: string;
  readonly frame: object;
  readonly data: unknown;
  /** Seconds of each model or pass, where the result tells them. Not in the data: a part that runs twice has the same data. */
  readonly times?: readonly number[];
  /** Path of the checkpoint, which differs between machines and is no part of the frame. */
  readonly path: string;
  /** How well the whole model reads the text, of the first part. */
  readonly fit?: TextFit;
  readonly run: RunDetails;
  /** Called once the record is there. */
  readonly after?: () => Promise<void>;
}

/** Where parts that go on together meet. */
export interface Shared extends Pick<Meeting, 'look' | 'rest'> {
  /** Of their state, that all see. */
  readonly folder: string;
}

/** All parts of a run. */
export interface Gathered {
  readonly frame: unknown;
  /** In the order of their numbers. */
  readonly data: readonly unknown[];
  /** Path of the checkpoint on the machine of the first part. */
  readonly path: string;
  /** Undefined if nothing was computed. */
  readonly device: { readonly provider: string } | undefined;
  readonly precision: RunPrecision | undefined;
  /** Of all parts together. */
  readonly seconds: number;
  /** Seconds of each model or pass: of each part that has them. */
  readonly times: readonly (readonly number[])[];
  /** The most that one of them needed. */
  readonly peakRssBytes: number;
  /** What the first part found of the text. */
  readonly fit?: TextFit;
}

/** A job that can be cut. */
export interface CutJob<K extends CutKind> {
  /** Options that need the whole: with these it cannot be cut. The function is in faults.ts, which the editor loads too. */
  readonly fault: (options: OptionsFor<K>) => Fault | undefined;
  /** The options that one process needs for the numbers of the parts, where `auto` would mean something else there. */
  readonly exactly?: (options: OptionsFor<K>) => OptionsFor<K>;
  /** @throws UserError when the work has fewer parts; errors of the job */
  readonly measure: (
    options: OptionsFor<K>,
    context: JobContext,
    part: Part,
    shared: Shared | undefined,
  ) => Promise<MeasuredPart>;
  /**
   * What one process gives. Reads no file, computes no model.
   * @throws TableFault when the data is not what the frame says
   */
  readonly finish: (gathered: Gathered) => Finished<K> | Promise<Finished<K>>;
}

export interface Finished<K extends CutKind> extends Pick<RunEnd<RunResult<K>>, 'result' | 'results'> {
  readonly warnings: readonly string[];
}
