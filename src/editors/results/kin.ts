/** The checkpoint's base model and its derived models as the panel shows them. */
import type { JsonNumber } from '../../format/json';
import type { ComparedDigest, PanelChild, PanelKin, PanelOriginal, PanelParent } from '../../protocol/panel';
import { vocabulariesDiffer } from '../../format/vocabularies';
import type { Relative, Relatives } from './relatives';

/** What runs tell of a whole model, by its identity, on the panel's rows. */
export interface KinMeasures {
  /** Null if no run has measured it. */
  readonly perplexity: (identity: string) => JsonNumber | null;
  /** Undefined if no run has measured them. */
  readonly bitsPerByte: (identity: string) => JsonNumber | undefined;
  /** How near it is to the unpruned model; undefined if no run compared them. */
  readonly compared: (identity: string) => ComparedDigest | undefined;
  /** Names of the outputs trained from it. */
  readonly retrained: (identity: string) => readonly string[];
}

/** A perplexity of a token is told of models with the vocabulary of the panel's only. */
export function kinOf(
  relatives: Pick<Relatives, 'self' | 'parent' | 'children' | 'original'>,
  { perplexity: measured, bitsPerByte, compared, retrained }: KinMeasures,
): PanelKin {
  const { self, parent, children, original } = relatives;
  const isAlike = ({ size }: Relative): boolean => !vocabulariesDiffer([self.size?.vocabulary, size?.vocabulary]);
  const perplexity = (each: Relative): JsonNumber | null => (isAlike(each) ? measured(each.identity) : null);
  return {
    parent: self.origin
      ? { name: self.origin.name, removed: self.origin.removed, there: parentThere(parent, perplexity) }
      : null,
    original: original?.size
      ? {
          name: original.name,
          path: original.path,
          identity: original.identity,
          ...sized(original.size),
          ppl: perplexity(original),
        }
      : null,
    children: children.map((child): PanelChild => {
      const { name, path, identity, origin, size } = child;
      const { removed, healed, kind } = origin!;
      const near = compared(identity);
      const bits = bitsPerByte(identity);
      return {
        name,
        path,
        removed,
        kind,
        ...(healed && { healed }),
        retrained: retrained(identity),
        ppl: perplexity(child),
        ...(size && !isAlike(child) && { otherVocabulary: size.vocabulary }),
        ...(bits !== undefined && { bitsPerByte: bits }),
        ...(near && { compared: near }),
      };
    }),
  };
}

const sized = ({
  blocks,
  parametersRead,
  bytes,
}: NonNullable<Relative['size']>): Pick<PanelOriginal, 'blocks' | 'parametersRead' | 'bytes'> => ({
  blocks,
  parametersRead,
  bytes,
});

function parentThere(
  parent: Relative | undefined,
  perplexity: (parent: Relative) => JsonNumber | null,
): PanelParent['there'] {
  if (!parent?.size) return null;
  const { path, size } = parent;
  const { blocks, parameters, parametersRead } = size;
  return { path, blocks, parameters, parametersRead, ppl: perplexity(parent) };
}
