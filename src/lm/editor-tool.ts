/** One of the tools as VS Code's chat calls it. */
import * as vscode from 'vscode';
import { roughBudget } from '../agents/answer';
import type { JobDesk } from '../agents/desk';
import { failureText } from '../agents/naming';
import { guardedPaths } from '../agents/paths';
import type { AgentContext, AgentTool, Confirmation, TextBudget } from '../agents/tool';
import { CancelledError, UserError } from '../engine/errors';
import { isObject, type JsonObject } from '../format/json';
import { reportAssets } from '../editors/page-html';
import type { Coppice } from '../host/coppice';
import { requireTrusted } from '../host/restricted';
import { recordFolders } from '../host/jobs/record-folders';

/** A chat shows nothing of a tool before it answers, so a longer job goes on by itself. */
const WAIT_MS = 10_000;
/** Tokens of an answer where the chat names no budget. */
const USUAL_BUDGET = 4000;

export class EditorTool implements vscode.LanguageModelTool<object> {
  constructor(
    private readonly tool: AgentTool,
    private readonly coppice: Coppice,
    private readonly desk: JobDesk,
  ) {}

  async prepareInvocation(
    { input }: vscode.LanguageModelToolInvocationPrepareOptions<object>,
    token: vscode.CancellationToken,
  ): Promise<vscode.PreparedToolInvocation> {
    const invocationMessage = vscode.l10n.t('Coppice: {0}', this.tool.title());
    const asked = await this.question(jsonOf(input), token);
    if (!asked) return { invocationMessage };
    const { title, message } = asked;
    return { invocationMessage, confirmationMessages: { title, message: new vscode.MarkdownString(message) } };
  }

  async invoke(
    { input, tokenizationOptions }: vscode.LanguageModelToolInvocationOptions<object>,
    token: vscode.CancellationToken,
  ): Promise<vscode.LanguageModelToolResult> {
    try {
      if (this.tool.effect !== 'reads') requireTrusted(vscode.workspace.isTrusted);
      const text = await this.tool.run(jsonOf(input), this.contextOf(token, budgetOf(tokenizationOptions, token)));
      return new vscode.LanguageModelToolResult([new vscode.LanguageModelTextPart(text)]);
    } catch (error) {
      if (error instanceof CancelledError) throw new vscode.CancellationError();
      if (!(error instanceof UserError)) this.coppice.log.error(error instanceof Error ? error : String(error));
      throw new Error(failureText(error), { cause: error });
    }
  }

  /** Nothing is asked about an input that is not valid: the call itself says so to the model. */
  private async question(input: JsonObject, token: vscode.CancellationToken): Promise<Confirmation | undefined> {
    try {
      return await this.tool.confirmation?.(input, this.contextOf(token, roughBudget(USUAL_BUDGET)));
    } catch (error) {
      if (!(error instanceof UserError)) this.coppice.log.error(error instanceof Error ? error : String(error));
      return undefined;
    }
  }

  private contextOf(token: vscode.CancellationToken, budget: TextBudget): AgentContext {
    const { config, speeds, context } = this.coppice;
    return {
      paths: guardedPaths(rootsOf(context.extensionUri)),
      desk: this.desk,
      signal: signalOf(token),
      budget,
      records: recordFolders(this.coppice),
      waitMs: WAIT_MS,
      calibration: config.calibration.file,
      speeds,
      assets: () => reportAssets(context.extensionUri),
    };
  }
}

const jsonOf = (input: unknown): JsonObject => (isObject(input) ? input : {});

/** The folders of the workspace, and the sample that comes with the extension. */
function rootsOf(extension: vscode.Uri): string[] {
  const folders = (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === 'file');
  return [...folders.map(({ uri }) => uri.fsPath), vscode.Uri.joinPath(extension, 'media', 'sample').fsPath];
}

function signalOf(token: vscode.CancellationToken): AbortSignal {
  const controller = new AbortController();
  if (token.isCancellationRequested) controller.abort();
  token.onCancellationRequested(() => controller.abort());
  return controller.signal;
}

function budgetOf(
  options: vscode.LanguageModelToolTokenizationOptions | undefined,
  token: vscode.CancellationToken,
): TextBudget {
  if (!options) return roughBudget(USUAL_BUDGET);
  return { most: options.tokenBudget, count: async (text) => options.countTokens(text, token) };
}
