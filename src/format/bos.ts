/** Names of the places where the begin-of-text token (BOS) may stand. Pure: options, records and the engine share them. */

/** What can be asked for. */
export const BOS_CHOICES = ['auto', 'window', 'stream', 'none'] as const;

/**
 * Where the begin-of-text token is wanted: where the checkpoint's own tokenizer has it (auto), before every row (window), once
 * before a whole text or document (stream), or nowhere.
 */
export type BosChoice = (typeof BOS_CHOICES)[number];

export const BOS_MODES = ['window', 'stream', 'none'] as const satisfies readonly BosChoice[];

/**
 * Where the token is: before every row (window), where the tokenizer puts it when it reads a whole text, that is once before
 * the text or document that rows are cut from (stream), or nowhere.
 */
export type BosMode = (typeof BOS_MODES)[number];

/** ", BOS: window", behind what was measured; nothing where a record does not say it. */
export const bosSuffix = (mode: string | undefined): string => (mode === undefined ? '' : `, BOS: ${mode}`);

/** Whether a value of a record is a mode. */
export const isBosMode = (value: unknown): value is BosMode => BOS_MODES.some((mode) => mode === value);
