/** Evaluate Perplexity…: of a checkpoint, or of what its plan would leave, on a text. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import type { EvaluateSpec } from '../protocol/jobs';
import { formatCount, formatNumber } from '../views/words';
import { chooseCheckpoint } from './choose-checkpoint';
import { chooseFile } from './choose-file';
import type { Command, CommonArguments } from './command';
import { inform } from './inform';
import { recall, remember } from './remembered';
import { runJob } from './run-job';
import { flatteryOf, scoringTextsOf } from './scoring-texts';
import { askAll, BACK, type Step } from './steps';
import { type ModelChoice, modelSource, modelStep } from './model-choice';

export interface EvaluateArguments extends CommonArguments, ModelChoice {
  readonly text?: string;
  readonly window?: number;
  readonly bos?: 'stream' | 'window' | 'none';
  readonly limit?: number;
}

export const evaluatePerplexityCommand: Command<EvaluateArguments> = {
  id: 'coppice.evaluatePerplexity',
  needsTrust: true,
  async run(coppice, args, settle) {
    const title = vscode.l10n.t('Evaluate Perplexity');
    const chosen = await chooseCheckpoint(coppice, args, title);
    const textStep: Step<EvaluateArguments> = async (_, place) => {
      const { file } = coppice.config.calibration;
      const texts = await scoringTextsOf(coppice, chosen);
      const describe = (path: string): Promise<string | undefined> => flatteryOf(path, texts);
      const flattery = await describe(file);
      const usual = {
        label: vscode.l10n.t('$(book) The calibration text'),
        description: [vscode.workspace.asRelativePath(file), ...(flattery === undefined ? [] : [flattery])].join(' · '),
        value: file,
      };
      const last = recall(coppice, 'evaluate', 'text', '', file);
      const placeholder = vscode.l10n.t('Perplexity of which text?');
      const question = { placeholder, use: 'evaluation', fixed: [usual], active: last, describe } as const;
      const text = await chooseFile(coppice, place, question);
      return text === BACK ? BACK : { text };
    };
    const complete = args.text === undefined ? await askAll(title, args, [modelStep(coppice, chosen), textStep]) : args;
    const chosenText = args.text === undefined ? complete.text : undefined;
    await remember(coppice, 'evaluate', { text: chosenText }, { text: coppice.config.calibration.file });
    settle({ ...complete, checkpoint: chosen.path });
    const { window, bos, limit, text } = complete;
    const spec: EvaluateSpec = {
      kind: 'evaluate',
      ...modelSource(coppice, chosen, complete),
      text: text!,
      window,
      bos,
      limit,
    };
    const { result, notes } = await runJob(coppice, spec, { device: args.device });
    await vscode.commands.executeCommand('setContext', 'coppice.did.evaluate', true);
    const numbers = vscode.l10n.t(
      'Perplexity {0} on {1} ({2} tokens).',
      formatNumber(result.ppl),
      basename(text!),
      formatCount(result.tokens),
    );
    inform(args, [numbers, ...notes].join(' '));
    return result;
  },
};
