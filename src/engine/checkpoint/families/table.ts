/** The names of the families in texts: the README, between two marks, and the welcome of the view. */
import { FAMILIES } from '.';

const START = '<!-- families: npm run manifest -->';
const END = '<!-- end of families -->';

/** "LLaMA, Mistral, … and SmolLM3" */
export function familyNames(): string {
  const names = FAMILIES.map(({ name }) => name);
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

const WELCOME = 'welcome.empty';

/** The texts of package.nls.json; the welcome names the families of today. */
export function withFamilyNames(texts: Readonly<Record<string, string>>): Record<string, string> {
  const welcome = texts[WELCOME].replace(
    /Coppice opens .* models in/,
    () => `Coppice opens ${familyNames()} models in`,
  );
  return { ...texts, [WELCOME]: welcome };
}

/** The document with the families of today. @throws Error for a document without the marks */
export function withFamilies(document: string): string {
  const [from, to] = [document.indexOf(START), document.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`there is no place for the families: ${START} … ${END}`);
  return `${document.slice(0, from + START.length)}\n\nFamilies: ${familyNames()}.\n\n${document.slice(to)}`;
}
