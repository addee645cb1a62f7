/**
 * Whether tests of pages take pictures for people to look at, below test/out/screenshots. A run of all tests takes none, because a
 * machine that draws without a GPU needs seconds for each theme; `node test/run.mjs WORD` and test:full do. (Tests of the window
 * always do: they show what was there where one fails.)
 */
export const takesPictures = process.env.COPPICE_TEST_PICTURES !== '0';
