/**
 * The PPL criterion (Shortened LLaMA §3.1, `src/anal_block_sensitivity_ppl.py`): the perplexity of the calibration text
 * when a block is left out.
 */
import { CUT_WORK } from '../cut-work';
import { sweepCriterion } from '../sweep-criterion';
import { LOSSES } from '../sweep-measure';

export const { scoreRows, parts, scoreBlocks, scoreModules } = sweepCriterion(LOSSES, CUT_WORK.ppl);
