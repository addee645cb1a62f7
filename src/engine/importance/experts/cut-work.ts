/** How the pass that scores experts can be cut into parts. Pure arithmetic; it loads nothing that computes. */
import type { Architecture } from '../../checkpoint/architecture';
import type { CuttableWork } from '../../parts/split';
import { rowWork } from '../cut-work';

/** By rows alone; nothing passes the head. @param blocks that each row passes */
export const expertWork = (
  architecture: Architecture,
  rows: { readonly rows: number; readonly length: number },
  blocks: number,
): CuttableWork => rowWork(architecture, rows, blocks, 0);
