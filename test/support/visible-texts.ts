/** The texts that a picture of a page shows. */
import type { Page } from 'playwright-core';

/** Runs in a page, where types of the DOM are at home. */
const TEXTS_IN_VIEW = `(() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const texts = [];
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const text = node.textContent.replace(/\\s+/g, ' ').trim();
    if (text === '' || !node.parentElement.checkVisibility({ visibilityProperty: true })) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const { top, bottom, left, right, width } = range.getBoundingClientRect();
    if (width > 0 && bottom <= innerHeight && top >= 0 && right > 0 && left < innerWidth) texts.push(text);
  }
  return texts;
})()`;

/** The texts within the window, of the page and of the pages in it, each once. */
export async function visibleTexts(page: Page): Promise<string[]> {
  const found = await Promise.all(
    page.frames().map((frame) => frame.evaluate<string[]>(TEXTS_IN_VIEW).catch(() => [])),
  );
  return [...new Set(found.flat())];
}
