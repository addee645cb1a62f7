/** Generate Text…: continues a prompt and shows the text in an output channel as it is generated. */
import * as vscode from 'vscode';
import type { GenerateSpec, SamplingChoice } from '../protocol/jobs';
import { QUESTIONS } from '../editors/results/prompts';
import type { Precision } from '../engine/precision';
import { parseJsonNumber } from '../format/json';
import { formatNumber } from '../format/numbers';
import { answersChats } from '../host/ask/answers-chats';
import { chooseCheckpoint } from '../host/ask/choose-checkpoint';
import type { Command, CommonArguments, JobArguments } from '../host/command';
import { timeWords } from '../host/ask/job-time';
import { type ModelChoice, modelSource, modelStep } from '../host/ask/model-choice';
import { recall, remember } from '../host/ask/remembered';
import { runJob } from '../host/jobs/run-job';
import { ask, askAll, type Step } from '../host/ask/steps';

export interface GenerateArguments
  extends
    CommonArguments,
    ModelChoice,
    SamplingChoice,
    JobArguments<'generate', 'prompt' | 'chat' | 'system' | 'maxNewTokens' | 'ignoreEos'> {}

/** The first proposals: a beginning for models that continue a text, a task for models that answer. */
const FIRST = { prompt: 'Once upon a time', question: QUESTIONS[0] };
let channel: vscode.OutputChannel | undefined;

export const generateTextCommand: Command<GenerateArguments> = {
  id: 'coppice.generateText',
  needsTrust: true,
  async run(coppice, args, settle) {
    const title = vscode.l10n.t('Generate Text');
    const chosen = await chooseCheckpoint(coppice, args, title);
    const chat = args.chat ?? (await answersChats(coppice, chosen.path));
    const kind = chat ? 'question' : 'prompt';
    const promptStep: Step<GenerateArguments> = async (state, place) => {
      const { maxNewTokens } = state;
      const source = modelSource(coppice, chosen, state);
      const time = timeWords(coppice, chosen, { kind: 'generate', ...source, maxNewTokens });
      const prompt = await ask(place, {
        prompt: chat
          ? vscode.l10n.t('Enter a question or a task. The chat template of the model formats it. Time: {0}', time)
          : vscode.l10n.t('Enter the text to continue. Time: {0}', time),
        value: recall(coppice, 'generate', kind, FIRST[kind]),
        fault: (text) => (text.trim() === '' ? vscode.l10n.t('Enter at least one word.') : undefined),
      });
      return { prompt };
    };
    const asked = args.prompt === undefined;
    const complete = asked ? await askAll(title, args, [modelStep(coppice, chosen), promptStep]) : args;
    if (asked) await remember(coppice, 'generate', { [kind]: complete.prompt });
    settle({ ...complete, ...(chat && { chat }), checkpoint: chosen.path });
    const { prompt, system, maxNewTokens, ignoreEos, temperature, topK, topP, seed } = complete;
    const source = modelSource(coppice, chosen, complete);
    const spec: GenerateSpec = {
      kind: 'generate',
      ...source,
      prompt,
      ...(chat && { chat, system }),
      maxNewTokens,
      ignoreEos,
      temperature,
      topK,
      topP,
      seed,
      precision: coppice.config.textPrecision,
    };
    channel ??= outputChannel(coppice.context);
    const without = source.remove ? `, ${vscode.l10n.t('without {0}', source.remove.join(', '))}` : '';
    channel.append(`── ${vscode.workspace.asRelativePath(chosen.path)}${without}\n${prompt}${chat ? '\n' : ''}`);
    channel.show(true);
    const onEvent = ({ text }: { readonly text: string }): void => channel?.append(text);
    const { result } = await runJob(coppice, spec, { onEvent, device: args.device });
    if (!('ids' in result)) return result;
    const speed = formatNumber(parseJsonNumber(result.decodeTokensPerSecond) ?? NaN, 3);
    const { length } = result.ids;
    const words =
      length === 1
        ? vscode.l10n.t('1 token, {0} tokens/s', speed)
        : vscode.l10n.t('{0} tokens, {1} tokens/s', length, speed);
    channel.append(`\n── ${[words, ...precisionWords(result.precision)].join(', ')}\n\n`);
    return result;
  },
};

/** What the text was computed in, where that is not float32. */
function precisionWords(precision: Precision): string[] {
  if (precision === 'int8' || precision === 'int4') return [vscode.l10n.t('{0} in blocks of 32', precision)];
  return precision === 'float32' ? [] : [precision];
}

function outputChannel(context: vscode.ExtensionContext): vscode.OutputChannel {
  const made = vscode.window.createOutputChannel(vscode.l10n.t('Coppice Text'));
  context.subscriptions.push(made);
  return made;
}
