/** Arguments of the commands of lines in the view "Jobs". */
import type { JobLine } from '../../state/jobs/line';
import type { CommonArguments } from '../command';

/** The lines that a command is about. */
export const linesIn = ({ jobs = [] }: CommonArguments): readonly JobLine[] => jobs.map(({ line }) => line);

type LineOf<K extends JobLine['kind']> = Extract<JobLine, { readonly kind: K }>;

/** Those of these kinds. */
export const linesOfKind = <K extends JobLine['kind']>(args: CommonArguments, ...kinds: readonly K[]): LineOf<K>[] =>
  linesIn(args).filter((line): line is LineOf<K> => kinds.some((kind) => kind === line.kind));
