/**
 * What travels between host, sidecar and panel is plain JSON, which has no notation for infinity and NaN: where a number
 * may be one of them it travels by name, as in run records and in `--json`.
 */
export type JsonNumber = number | 'Infinity' | '-Infinity' | 'NaN';

/** A whole block by its number, or one of its modules: "12.ffn", "3.attention". */
export type RemovedEntry = number | string;
