/** The form for sample texts: prompt, models and sampling. */
import type { ColumnChoice, PanelState, WriteSettings } from '../../../src/protocol/panel';
import { el } from '../../support/dom';
import { t } from '../../support/l10n';
import { button, checkbox, dropdown, enable, setTicked, textArea, textField } from '../../support/ui';
import type { Written } from './sample-history';
import { modelText } from '../state/model-labels';
import type { Context } from './section';
import type { ViewState } from '../state/view-state';

const MAX_COLUMNS = 4;
/** Default sampling, moderate so that a good model still writes good text. */
const SAMPLING = { temperature: 0.8, topP: 0.95, seed: 1234 };
const OWN = '(own)';

export class SampleForm {
  readonly element: HTMLElement;
  /** Tells what another generation would give. */
  readonly advice = el('span', { class: 'muted' });
  private readonly prompt;
  private readonly prompts;
  private readonly keep;
  /** The prompt is one of the user's saved prompts. */
  private own = false;
  private readonly boxes = new Map<string, ReturnType<typeof checkbox>>();
  private readonly models = el('div', { class: 'field-row', role: 'group', 'aria-label': t('Models to compare') });
  private readonly mode;
  private readonly tokens;
  private readonly sampled;
  private readonly chat;
  private readonly mark;
  private choices: readonly ColumnChoice[] = [];

  constructor(private readonly context: Context) {
    const { setView } = context;
    this.prompt = textArea(t('Prompt'), context.view().prompt, (prompt) => setView({ prompt }));
    this.prompts = dropdown(t('Saved prompts'), (prompt) => {
      if (prompt !== OWN) setView({ prompt });
    });
    this.keep = button(t('Save Prompt'), () => {
      const { prompt } = context.view();
      context.send({ type: this.own ? 'prompts/forget' : 'prompts/keep', prompt });
    });
    this.mode = dropdown(t('Sampling'), (mode) => this.set({ sampling: mode === 'greedy' ? null : SAMPLING }));
    this.tokens = this.number(t('Max tokens'), (maxNewTokens) =>
      this.set({ maxNewTokens: Math.max(1, Math.round(maxNewTokens)) }),
    );
    this.sampled = {
      temperature: this.number(t('Temperature'), (temperature) => this.sample({ temperature })),
      topP: this.number(t('Top p'), (topP) => this.sample({ topP: Math.min(1, topP) })),
      seed: this.number(t('Seed'), (seed) => this.sample({ seed: Math.round(seed) })),
    };
    this.chat = checkbox(t('Chat template'), false, (chat) => this.set({ chat }));
    this.mark = checkbox(t('Mark differences'), context.view().markDifferences, (markDifferences) =>
      setView({ markDifferences }),
    );
    const sampled = Object.values(this.sampled);
    this.element = el(
      'div',
      { class: 'sample-form' },
      el(
        'div',
        { class: 'prompt-row' },
        this.prompt,
        el('div', { class: 'prompt-list' }, this.prompts.element, this.keep),
      ),
      this.models,
      el('div', { class: 'field-row' }, this.mode.element, this.tokens, ...sampled, this.chat, this.mark),
    );
  }

  get canWrite(): boolean {
    return this.context.view().prompt.trim() !== '' && this.chosen.length > 0;
  }

  /** Sends the request to generate texts. */
  write(): void {
    const { prompt, settings } = this.context.view();
    if (!this.canWrite) return;
    this.context.setView({ samples: '', asked: { prompt, settings } });
    this.context.send({ type: 'samples/write', prompt, columns: this.chosen, settings });
  }

  /** Generates other texts with the same models, from the next seed. */
  writeAnother(): void {
    this.sample({ seed: (this.context.view().settings.sampling ?? SAMPLING).seed + 1 });
    this.write();
  }

  /** Restores prompt, settings and, if they still exist, the models of earlier texts. */
  restore({ prompts, columns, settings }: Written): void {
    const ids = this.choices.filter(({ label }) => columns.includes(label)).map(({ id }) => id);
    this.context.setView({
      ...(prompts[0] !== undefined && { prompt: prompts[0] }),
      ...(settings && { settings }),
      ...(ids.length > 0 && { columns: ids }),
    });
  }

  update({ columns, prompts, ownPrompts, chat }: PanelState, { prompt, settings, markDifferences }: ViewState): void {
    if (this.prompt.value !== prompt) this.prompt.value = prompt;
    const known = prompts.includes(prompt) ? prompt : OWN;
    this.prompts.show(
      [{ value: OWN, label: t('Custom prompt') }, ...prompts.map((each) => ({ value: each, label: each }))],
      known,
    );
    this.own = ownPrompts.includes(prompt);
    this.keep.textContent = this.own ? t('Delete Prompt') : t('Save Prompt');
    enable(this.keep, this.own || (prompt.trim() !== '' && !prompts.includes(prompt)));
    this.showModels(columns);
    this.mode.show(
      [
        { value: 'greedy', label: t('Greedy') },
        { value: 'sampled', label: t('Random') },
      ],
      settings.sampling ? 'sampled' : 'greedy',
    );
    show(this.tokens, settings.maxNewTokens);
    for (const key of ['temperature', 'topP', 'seed'] as const) {
      this.sampled[key].hidden = !settings.sampling;
      if (settings.sampling) show(this.sampled[key], settings.sampling[key]);
    }
    this.advice.textContent = !columns.some(({ related }) => related)
      ? t('This checkpoint has no tokenizer.json, so it cannot generate text.')
      : settings.sampling
        ? t(
            'Seed {0} always gives the same text. Try Next Seed uses {1}.',
            settings.sampling.seed,
            settings.sampling.seed + 1,
          )
        : t('Greedy sampling always gives the same text for a prompt.');
    this.chat.hidden = !chat;
    setTicked(this.chat, settings.chat && chat);
    setTicked(this.mark, markDifferences);
  }

  /** The ticked models. Until the user ticks one, these are the first two related models. */
  private get chosen(): readonly string[] {
    const ids = this.choices.map(({ id }) => id);
    const wanted = this.context.view().columns.filter((id) => ids.includes(id));
    if (wanted.length > 0) return wanted.slice(0, MAX_COLUMNS);
    return this.choices
      .filter(({ related }) => related)
      .slice(0, 2)
      .map(({ id }) => id);
  }

  private showModels(columns: readonly ColumnChoice[]): void {
    this.choices = columns;
    const { chosen } = this;
    if (columns.map(({ id, label }) => `${id} ${label}`).join('\n') !== this.models.dataset.shown) {
      this.boxes.clear();
      for (const { id, label } of columns)
        this.boxes.set(
          id,
          checkbox(modelText(label), chosen.includes(id), (ticked) => this.tick(id, ticked)),
        );
      this.models.dataset.shown = columns.map(({ id, label }) => `${id} ${label}`).join('\n');
      this.models.replaceChildren(...this.boxes.values());
      for (const [i, box] of [...this.boxes.values()].entries()) box.title = columns[i].detail;
    }
    for (const [id, box] of this.boxes) {
      setTicked(box, chosen.includes(id));
      enable(box, chosen.includes(id) ? chosen.length > 1 : chosen.length < MAX_COLUMNS);
    }
  }

  private tick(id: string, ticked: boolean): void {
    const others = this.chosen.filter((other) => other !== id);
    const order = this.choices.map((choice) => choice.id);
    const columns = (ticked ? [...others, id] : others).sort((a, b) => order.indexOf(a) - order.indexOf(b));
    this.context.setView({ columns });
  }

  private number(label: string, change: (value: number) => void): ReturnType<typeof textField> {
    const field = textField(label, '', '', (text) => {
      const value = Number(text);
      if (text.trim() !== '' && Number.isFinite(value) && value >= 0) change(value);
    });
    field.setAttribute('size', '6');
    return field;
  }

  private set(changes: Partial<WriteSettings>): void {
    this.context.setView({ settings: { ...this.context.view().settings, ...changes } });
  }

  private sample(changes: Partial<typeof SAMPLING>): void {
    this.set({ sampling: { ...(this.context.view().settings.sampling ?? SAMPLING), ...changes } });
  }
}

/** Shows a number, but keeps other spellings of it, such as "0." while the user types "0.5". */
function show(field: { value: string }, value: number): void {
  if (field.value === '' || Number(field.value) !== value) field.value = String(value);
}
