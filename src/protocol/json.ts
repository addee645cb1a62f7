/** A whole block by its number, or one of its modules: "12.ffn", "3.attention". */
export type RemovedEntry = number | string;
