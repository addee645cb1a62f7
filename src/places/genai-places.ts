/**
 * AI Toolkit and Foundry Local, which run folders of onnxruntime-genai.
 *
 * AI Toolkit (documents of VS Code, "Convert models to ONNX format"): ~/.aitk/models/PUBLISHER/MODEL/RUNTIME/NAME, all four.
 * Foundry Local (its scanner of models, SDK 2): below CACHE/PUBLISHER any folder with genai_config.json and inference_model.json,
 * which names the model. Versions before SDK 2 also read the prompt template there; SDK 2 has it from the tokenizer.
 */
import { join } from 'node:path';
import { l10n } from '../l10n';
import { folderThere } from './folder-there';
import { type Place, type Plan, PUBLISHER } from './place';
import type { PlacedModel } from './model';
import { promptTemplateIn } from './prompt-template';

export const aiToolkit: Place = {
  name: 'ai-toolkit',
  title: 'AI Toolkit',
  takes: 'onnx',
  hasFolder: true,
  find(around) {
    const own = join(around.home, '.aitk');
    const words = {
      title: 'AI Toolkit',
      todo: l10n.t(
        'Install the extension {0} in VS Code, and open its view once.',
        'ms-windows-ai-studio.windows-ai-studio',
      ),
    };
    return folderThere(around, join(own, 'models'), own, words);
  },
  plan: (model, at, name) =>
    genaiPlan(
      model,
      join(at, PUBLISHER, name, 'cpu', name),
      name,
      l10n.t('AI Toolkit lists {0} among the local models when its view is opened again.', name),
    ),
};

export const foundryLocal: Place = {
  name: 'foundry-local',
  title: 'Foundry Local',
  takes: 'onnx',
  hasFolder: true,
  find(around) {
    const own = join(around.home, '.foundry');
    const words = {
      title: 'Foundry Local',
      todo: l10n.t('Install Foundry Local, and run `foundry cache location` once.'),
    };
    return folderThere(around, join(own, 'cache', 'models'), own, words);
  },
  async plan(model, at, name) {
    const out = join(at, PUBLISHER, name);
    const use = `foundry model run ${name}`;
    const plan = await genaiPlan(model, out, name, use);
    const sdk = l10n.t(
      'An application with the SDK of Foundry Local (2.2 and later) registers the folder in the local catalog: {0}.',
      'register_model',
    );
    return { ...plan, copies: use, notes: [...plan.notes, sdk] };
  },
};

async function genaiPlan(model: PlacedModel, out: string, name: string, use: string): Promise<Omit<Plan, 'place'>> {
  const { template, note } = await promptTemplateIn(model.path);
  const described = { Name: name, PromptTemplate: template };
  // Last: without it Foundry Local takes the folder for none.
  const description = { path: 'inference_model.json', text: `${JSON.stringify(described, null, 2)}\n` };
  return {
    name,
    model,
    change: { kind: 'folder', out, files: [...model.files, description] },
    notes: note === undefined ? [] : [note],
    use,
  };
}
