/** The tools in the form of package.json and its texts. Pure: `npm run manifest` writes it, and a test compares it. */
import { AGENT_TOOLS } from '.';
import type { JsonSchema } from '../jobs/schema';
import type { AgentTool } from './tool';

interface Manifest {
  readonly contributes: object;
}

const TEXT = 'tool.';

/** "coppice_compare_texts" → "coppiceCompareTexts": what a user types after #. */
const referenceOf = (name: string): string => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

const contribution = ({ name, description, input }: AgentTool): JsonSchema => ({
  name,
  displayName: `%${TEXT}${name}.name%`,
  toolReferenceName: referenceOf(name),
  canBeReferencedInPrompt: true,
  userDescription: `%${TEXT}${name}%`,
  modelDescription: description,
  icon: '$(layers)',
  tags: ['coppice', 'language-models'],
  inputSchema: input,
});

/** package.json with the tools. Everything else remains unchanged. */
export const withAgentTools = <M extends Manifest>(manifest: M): M => ({
  ...manifest,
  contributes: { ...manifest.contributes, languageModelTools: AGENT_TOOLS.map(contribution) },
});

/** The texts of package.nls.json with those of the tools at the end. All others remain unchanged. */
export function withAgentToolTexts(texts: Readonly<Record<string, string>>): Record<string, string> {
  const own = AGENT_TOOLS.flatMap((tool) => [
    [`${TEXT}${tool.name}.name`, `Coppice: ${tool.title()}`],
    [`${TEXT}${tool.name}`, firstSentence(tool.description)],
  ]);
  const others = Object.entries(texts).filter(([key]) => !key.startsWith(TEXT));
  return Object.fromEntries([...others, ...own]) as Record<string, string>;
}

/** The sentence for the user. The rest is for the model. */
const firstSentence = (text: string): string => /^.*?\.(?= |$)/s.exec(text)?.[0] ?? text;
