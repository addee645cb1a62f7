/**
 * Whether tests take pictures for people to look at, below test/out/screenshots. A run of all tests takes none but those of
 * failures, because a machine that draws without a GPU needs seconds for each theme; `node test/run.mjs WORD` and test:full do.
 */
export const takesPictures = process.env.COPPICE_TEST_PICTURES !== '0';
