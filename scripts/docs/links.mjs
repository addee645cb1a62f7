/* global AbortSignal, fetch */
/** `npm run docs:links`: asks every address that a document names whether it is there. The tests use no network. */
import { documents, documentText, linksIn } from './documents.mjs';

const TIMEOUT_MS = 30_000;
const AT_A_TIME = 8;

const places = new Map();
for (const file of documents()) {
  for (const link of linksIn(documentText(file)).filter((each) => /^https?:/.test(each))) {
    const address = link.replace(/#.*/, '');
    places.set(address, [...(places.get(address) ?? []), file]);
  }
}

/** @returns why it cannot be read, or undefined */
async function faultOf(address) {
  try {
    const answer = await fetch(address, {
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: { 'user-agent': 'Mozilla/5.0 (link check of Coppice)' },
    });
    await answer.body?.cancel();
    return answer.ok ? undefined : `${answer.status} ${answer.statusText}`;
  } catch (error) {
    return String(error.cause?.message ?? error.message);
  }
}

const waiting = [...places];
let broken = 0;
async function inTurn() {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const [address, files] = next;
    const fault = await faultOf(address);
    if (fault === undefined) continue;
    broken += 1;
    console.log(`${address}: ${fault} (${[...new Set(files)].join(', ')})`);
  }
}
await Promise.all(Array.from({ length: AT_A_TIME }, inTurn));
console.log(`${places.size} addresses, ${broken} cannot be read`);
process.exitCode = broken === 0 ? 0 : 1;
