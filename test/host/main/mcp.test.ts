/** The MCP server as VS Code gets it: only where the setting asks for it, and a program that VS Code really starts. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { type McpServerDefinition, mcpServers } from '../../../src/lm/mcp-provider';
import { clearWorkspace, coppice, EXTENSION_ID, inWorkspace, resetSettings, writeModel } from '../support/coppice';
import { until } from '../../support/until';
import { Window } from '../support/window';

/** VS Code's names: the server's, then the tool's. */
const INSPECT = 'mcp_coppice_coppice_inspect';

describe('the MCP server in VS Code', () => {
  let window: Window;
  before(async () => {
    window = await Window.connect();
    await resetSettings();
  });
  after(async () => {
    await resetSettings();
    await clearWorkspace();
    await window.tidy();
    await window.disconnect();
  });

  const definitions = async (): Promise<McpServerDefinition[]> => {
    const program = join(vscode.extensions.getExtension(EXTENSION_ID)!.extensionPath, 'dist', 'cli.cjs');
    return mcpServers({ program, version: '1.2.3', config: (await coppice()).config });
  };
  const set = (key: string, value: unknown): Thenable<void> =>
    vscode.workspace.getConfiguration('coppice').update(key, value, vscode.ConfigurationTarget.Workspace);

  it('is there only if a setting asks for it', async () => {
    assert.deepEqual(await definitions(), []);
    await set('mcpServer', true);
    await set('threads', 1);
    const [{ label, version, args }] = await definitions();
    assert.deepEqual([label, version], ['Coppice', '1.2.3']);
    assert.deepEqual(args.slice(1), ['mcp', '--root', inWorkspace(), '--threads', '1']);
  });

  it('is in the list of servers, starts from there, and its tools work in the workspace', async function () {
    this.timeout(60_000);
    const model = writeModel('model');
    void vscode.commands.executeCommand('workbench.mcp.listServer');
    await window.row('Coppice').first().click();
    await window.row('Start Server').first().click();
    await until('the tools are known', () => vscode.lm.tools.some(({ name }) => name === INSPECT));
    const ask = async (checkpoint: string): Promise<string> => {
      const { content } = await vscode.lm.invokeTool(INSPECT, {
        input: { checkpoint },
        toolInvocationToken: undefined,
      });
      return content.map((part) => (part instanceof vscode.LanguageModelTextPart ? part.value : '')).join('');
    };
    assert.match(await ask(model), /llama, 8 blocks/);
    assert.match(await ask('/'), /outside the folders/);
    await set('mcpServer', false);
    await until('the tools are gone', () => vscode.lm.tools.every(({ name }) => name !== INSPECT));
  });
});
