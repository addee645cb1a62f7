/** Questions to the user: what a tool reads and writes, how large it is, how long it takes. */
import type { Architecture } from '../engine/checkpoint/architecture';
import { openCheckpoint, requireArchitecture } from '../engine/checkpoint/open';
import { checkpointReduction } from '../engine/checkpoint/reduction';
import type { Checkpoint } from '../engine/checkpoint/types';
import { codeSpan, inline } from '../engine/markdown';
import { formatBytes } from '../format/numbers';
import { checkpointName } from '../jobs/titles';
import { l10n } from '../l10n';
import { markedTime } from '../jobs/rough-time';
import { timeOf, type Work } from './estimate';
import type { AgentContext, Confirmation } from './tool';

/** Below, a job that writes nothing starts without a question. */
const QUICK_SECONDS = 60;

/** A model of an input. */
export interface Opened {
  readonly checkpoint: Checkpoint;
  readonly architecture: Architecture;
}

/** @throws UserError for a model that Coppice cannot compute with */
export async function opened(path: string, signal: AbortSignal): Promise<Opened> {
  const checkpoint = await openCheckpoint(path, signal);
  return { checkpoint, architecture: requireArchitecture(checkpoint) };
}

export const nameOf = ({ path }: Checkpoint): string => inline(checkpointName(path));

/** "`./model` (269.1 MB)" */
export const modelWords = (checkpoint: Checkpoint): string =>
  `${codeSpan(checkpoint.path)} (${formatBytes(checkpointReduction(checkpoint, []).bytesBefore)})`;

/** The question of a job that only computes; undefined if it is quick. */
export function askComputing(
  title: string,
  lines: readonly string[],
  works: readonly Work[],
  { architecture, context }: { readonly architecture: Architecture; readonly context: Pick<AgentContext, 'speeds'> },
): Confirmation | undefined {
  const time = timeOf(architecture, works, context.speeds);
  if (time.seconds < QUICK_SECONDS) return undefined;
  return question(title, [
    ...lines,
    l10n.t('Expected time: {0}.', markedTime(time)),
    l10n.t('Nothing is written but a record of the run.'),
  ]);
}

/** The question of a job that writes. */
export function askWriting(
  title: string,
  lines: readonly string[],
  { out, bytes, works, architecture, context }: Writing,
): Confirmation {
  const time = timeOf(architecture, works, context.speeds);
  return question(title, [
    ...lines,
    bytes === undefined
      ? l10n.t('Writes {0}.', codeSpan(out))
      : l10n.t('Writes {0}, about {1}.', codeSpan(out), formatBytes(bytes)),
    works.length > 0
      ? l10n.t('Expected time: {0}, and the time to write.', markedTime(time))
      : l10n.t('It takes as long as copying so much.'),
    l10n.t('The source never changes, and nothing is overwritten.'),
  ]);
}

interface Writing {
  readonly out: string;
  readonly bytes?: number;
  readonly works: readonly Work[];
  readonly architecture: Architecture;
  readonly context: Pick<AgentContext, 'speeds'>;
}

/** Each line is a paragraph. */
const question = (title: string, lines: readonly string[]): Confirmation => ({ title, message: lines.join('\n\n') });
