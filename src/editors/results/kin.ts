/** The checkpoint's base model and its derived models as the panel shows them. */
import type { JsonNumber } from '../../format/json';
import type { ComparedDigest, PanelChild, PanelKin, PanelOriginal, PanelParent } from '../../protocol/panel';
import type { Relative, Relatives } from './relatives';

/**
 * @param perplexity perplexity of a whole model, by its identity, on the panel's rows; null if no run has measured it
 * @param compared how near such a model is to the unpruned one there; undefined if no run compared them
 * @param retrained names of the outputs trained from a model, by its identity
 */
export function kinOf(
  relatives: Relatives,
  perplexity: (identity: string) => JsonNumber | null,
  compared: (identity: string) => ComparedDigest | undefined,
  retrained: (identity: string) => readonly string[],
): PanelKin {
  const { self, parent, children, original } = relatives;
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
          ppl: perplexity(original.identity),
        }
      : null,
    children: children.map(({ name, path, identity, origin }): PanelChild => {
      const { removed, healed, kind } = origin!;
      const near = compared(identity);
      return {
        name,
        path,
        removed,
        kind,
        ...(healed && { healed }),
        retrained: retrained(identity),
        ppl: perplexity(identity),
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
  perplexity: (identity: string) => JsonNumber | null,
): PanelParent['there'] {
  if (!parent?.size) return null;
  const { path, identity, size } = parent;
  const { blocks, parameters, parametersRead } = size;
  return { path, blocks, parameters, parametersRead, ppl: perplexity(identity) };
}
