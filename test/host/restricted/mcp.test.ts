/** An untrusted workspace gets no MCP server, whatever its settings say. */
import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { mcpServers } from '../../../src/lm/mcp-provider';
import { coppice } from '../support/coppice';

describe('the MCP server in restricted mode', () => {
  it('is not there', async () => {
    const settings = vscode.workspace.getConfiguration('coppice');
    await settings.update('mcpServer', true, vscode.ConfigurationTarget.Workspace);
    try {
      const { config } = await coppice();
      assert.equal(config.mcpServer, true);
      assert.deepEqual(mcpServers({ program: 'cli.cjs', version: '1', config }), []);
    } finally {
      await settings.update('mcpServer', undefined, vscode.ConfigurationTarget.Workspace);
    }
  });
});
