/** Which of the least important parts make up given shares of a model: what to leave out to reach a size. */
import type { Architecture } from '../../engine/checkpoint/architecture';
import { meanLayerParameters, moduleParameters, parametersOf } from '../../engine/checkpoint/parameters';
import { withoutLayers } from '../../engine/checkpoint/architecture';
import { blocksToRemove } from '../../engine/importance/count';
import { roomOf } from '../../engine/importance/module-costs';
import { partsByScore } from '../../engine/importance/parts-by-score';
import { selectByScores } from '../../engine/importance/ranking';
import type { ModuleScore } from '../../engine/importance/result';
import type { Scored } from '../../engine/importance/run-criterion';
import { requireRoom } from '../../engine/importance/select';
import { removedJson, type RemovedPart } from '../../engine/model/view';
import type { ShareInfo } from '../results/score';

/**
 * One choice for each share, in their order.
 * @param kept blocks of which nothing is left out
 * @throws UserError for a share that is less than one part, or more than can be left out
 */
export function chosenShares(
  ratios: readonly number[],
  architecture: Architecture,
  { ranking, result }: Pick<Scored, 'ranking' | 'result'>,
  kept: ReadonlySet<number>,
): ShareInfo[] {
  const { modules } = result;
  return ratios.map((ratio) =>
    modules ? modulesOf(ratio, architecture, modules, kept) : blocksOf(ratio, architecture, ranking, kept),
  );
}

function blocksOf(
  ratio: number,
  architecture: Architecture,
  ranking: Scored['ranking'],
  kept: ReadonlySet<number>,
): ShareInfo {
  const { length } = architecture.layers;
  const total = parametersOf(architecture);
  const count = blocksToRemove({ kind: 'ratio', ratio }, { total, block: meanLayerParameters(architecture) });
  requireRoom(length, count, kept);
  const removed = selectByScores(ranking, length, count, kept);
  return { ratio, removed, parameters: parametersOf(withoutLayers(architecture, removed)) };
}

/** In the order of the scores, up to the last that fits into the share. */
function modulesOf(
  ratio: number,
  architecture: Architecture,
  modules: readonly ModuleScore[],
  kept: ReadonlySet<number>,
): ShareInfo {
  const total = parametersOf(architecture);
  const removed = partsByScore(modules, roomOf(architecture, ratio * total), kept, `cannot remove a share of ${ratio}`);
  const gone = removed.reduce((sum, { block, part }) => sum + moduleParameters(architecture, block)[part!], 0);
  return { ratio, removed: removedJson(inOrder(removed)), parameters: total - gone };
}

const inOrder = (parts: readonly RemovedPart[]): RemovedPart[] =>
  parts.toSorted((a, b) => a.block - b.block || (a.part ?? '').localeCompare(b.part ?? ''));
