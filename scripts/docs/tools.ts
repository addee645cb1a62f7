/** The page of the tools for agents. */
import { AGENT_TOOLS } from '../../src/agents';
import type { AgentTool, Effect } from '../../src/agents/tool';
import { code, list, type Page, page, prose, section, table } from './page';
import { propertyTable } from './schemas';

const EFFECTS: Readonly<Record<Effect, string>> = {
  reads: 'It answers at once and changes nothing.',
  computes: 'It takes time, and writes nothing but a record of the run.',
  writes: 'It writes files, and asks first.',
};

const toolSection = (tool: AgentTool): string =>
  section(tool.name, `_${tool.title()}_. ${EFFECTS[tool.effect]}`, prose(tool.description), propertyTable(tool.input));

const firstSentence = (text: string): string => /^.*?\.(?= |$)/s.exec(text)?.[0] ?? text;

export const toolsPage = (): Page =>
  page(
    'tools.md',
    "Agents' tools",
    `The ${AGENT_TOOLS.length} tools that agents have, in the chat of VS Code and through [coppice mcp](cli/mcp.md). Descriptions are ` +
      'what an agent reads. How to set an agent up is in [Agents](../guide/agents.md).',
    table(
      ['Tool', 'Effect', 'What it does'],
      AGENT_TOOLS.map(({ name, effect, description }) => [
        `[${code(name)}](#${name})`,
        effect,
        prose(firstSentence(description)),
      ]),
    ),
    ...AGENT_TOOLS.map(toolSection),
    section('See also', list(['[Agents](../guide/agents.md), [coppice mcp](cli/mcp.md).'])),
  );
