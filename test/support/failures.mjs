/** How many lines of a failure's message the summary repeats: the whole of it stands where the test ran. */
const LINES = 6;

/** What the summary of test/run.mjs says of a test or hook that failed. */
export function failureOf(test, error) {
  const message = error instanceof Error ? error.message : String(error);
  return [test.fullTitle(), ...message.split('\n').slice(0, LINES)].join('\n    ');
}
