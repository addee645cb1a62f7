/** How Coppice made a model, also in words. Does not use VS Code. */
import type { Made, WayMade } from '../../jobs/define';
import { isKind, JOBS } from '../../jobs/definitions';
import { l10n } from '../../l10n';
import type { Origin } from '../origins';

const madeBy = (kind: string): Made | undefined => (isKind(kind) ? JOBS[kind].made : undefined);

/** The step on the way to a model that ships; undefined for what is none. */
export const madeAs = (kind: string | undefined): WayMade | undefined =>
  kind === undefined ? undefined : madeBy(kind)?.as;

/** "pruned, healed", "adapter story-adapter merged", "exported". */
export const madeWords = ({ kind, ...origin }: Pick<Origin, 'kind' | 'healed' | 'adapter'>): string =>
  madeBy(kind)?.words(origin) ?? l10n.t('made by Coppice');

/** Icon of VS Code for a model that was made so. */
export const madeIcon = ({ kind }: Pick<Origin, 'kind'>): string => madeBy(kind)?.icon ?? 'layers';
