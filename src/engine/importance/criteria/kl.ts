/**
 * The KL criterion: how far the model's predictions move when a block is left out, the mean over the text of
 * KL(unpruned model ‖ model without the block) in nats. It sees every probability and not only that of the next token
 * (Sieberling et al. 2025, EvoPress, choose by it).
 */
import { CUT_WORK } from '../cut-work';
import { sweepCriterion } from '../sweep-criterion';
import { DIVERGENCES } from '../sweep-measure';

export const { scoreRows, parts, scoreBlocks, scoreModules } = sweepCriterion(DIVERGENCES, CUT_WORK.kl);
