/** The names of the families, for texts. */
import { FAMILIES } from '.';

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
