/**
 * Names of the models that a run measures beside each other. Records hold them, so they are English in every
 * language; the panel translates them for display (webview/panel/state/model-labels.ts).
 */

/** A checkpoint that Coppice did not make from another one, with all its blocks. */
export const ORIGINAL = 'Original';

/** A checkpoint without these blocks. @param blocks as words: "3, 5–7" */
export const withoutLabel = (blocks: string): string => `Without ${blocks}`;
