/** How long each part of a comparison with the original takes on this machine. */
import * as vscode from 'vscode';
import type { Architecture } from '../engine/checkpoint/architecture';
import { evaluationFlops, rowBlockFlops, writingFlops } from '../engine/importance/estimate';
import type { Estimate } from '../jobs/machine-speeds';
import { aboutTime, roughTime } from '../jobs/rough-time';
import type { Coppice } from './coppice';

/** One amount of work. */
export interface Work {
  readonly architecture: Architecture;
  /** Rows that the model reads. */
  readonly reads?: { readonly rows: number; readonly length: number };
  /** Tokens that it writes. */
  readonly writes?: number;
}

export function workEstimate({ speeds, sidecar }: Pick<Coppice, 'speeds' | 'sidecar'>, all: readonly Work[]): Estimate {
  const provider = sidecar.device?.provider;
  const timeOf = (flops: number, work: 'evaluate' | 'write', size: number): Estimate =>
    speeds.estimate(flops, { work, size, ...(provider !== undefined && { provider }) });
  const parts = all.flatMap(({ architecture, reads, writes }) => [
    ...(reads
      ? [timeOf(evaluationFlops(architecture, reads), 'evaluate', rowBlockFlops(architecture, reads.length))]
      : []),
    ...(writes === undefined
      ? []
      : [
          timeOf(writingFlops(architecture, { rows: 1, length: writes }), 'write', rowBlockFlops(architecture, writes)),
        ]),
  ]);
  return sumOf(parts);
}

export const sumOf = (parts: readonly Estimate[]): Estimate => ({
  seconds: parts.reduce((sum, { seconds }) => sum + seconds, 0),
  measured: parts.every(({ measured }) => measured),
});

/** "about 1:20", "a few seconds"; "roughly" where it is not based on a measurement on this machine. */
export function estimateWords({ seconds, measured }: Estimate): string {
  const words = aboutTime(seconds);
  return measured || words === roughTime(seconds) ? words : vscode.l10n.t('roughly {0}', roughTime(seconds));
}
