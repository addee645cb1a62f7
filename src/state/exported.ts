/** What was exported from a model, newest first: GGUF files, folders of safetensors, folders of ONNX models. Pure. */
import { checkpointName } from '../jobs/titles';
import type { Listing } from './listing';
import { madeAs } from './words/made-words';

export interface Exported {
  readonly path: string;
  readonly name: string;
  /** ISO 8601, UTC. */
  readonly finished: string;
}

/** @param identity of the model; all exports without it */
export function exportsOf({ origins, exports }: Pick<Listing, 'origins' | 'exports'>, identity?: string): Exported[] {
  const isOf = (each: string): boolean => identity === undefined || each === identity;
  const models = [...origins].filter(([, origin]) => madeAs(origin.kind) === 'exported' && isOf(origin.identity));
  const all = [
    ...models.map(([path, { finished }]) => ({ path, finished })),
    ...exports.filter((folder) => isOf(folder.identity)),
  ];
  return all
    .map(({ path, finished }) => ({ path, name: checkpointName(path), finished }))
    .sort((a, b) => b.finished.localeCompare(a.finished));
}
