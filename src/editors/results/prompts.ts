/** The prompts to choose from: the user's saved prompts and some examples. */
import type { Memento } from '../../state/memento';

/** One for models that know only stories, and those of Shortened LLaMA (Kim et al. 2024). */
const PROMPTS: readonly string[] = [
  'Once upon a time, there was',
  'The Leaning Tower of Pisa is known for',
  'AI can create a logo in seconds',
  'What’s great about the holiday season,',
  'Neural network pruning is defined as',
];

/** What to ask a model that was trained to answer. */
export const QUESTIONS: readonly string[] = [
  'Write a short story about a dog.',
  'What is the Leaning Tower of Pisa known for?',
  'Explain in two sentences why the sky is blue.',
  'Give me three ideas for a birthday present.',
  'Rewrite this politely: “Send me the report now.”',
];

const KEY = 'coppice.prompts';
/** Limit of saved prompts. A new one replaces the oldest. */
const MAX_OWN = 50;

export class PromptList {
  constructor(private readonly store: Memento) {}

  /** The saved prompts, newest first. */
  get own(): readonly string[] {
    const kept = this.store.get(KEY);
    return Array.isArray(kept) ? kept.filter((prompt) => typeof prompt === 'string') : [];
  }

  get all(): readonly string[] {
    return [...this.own, ...PROMPTS];
  }

  /** For a chat: the saved prompts, and what to ask. */
  get questions(): readonly string[] {
    return [...this.own, ...QUESTIONS];
  }

  async keep(prompt: string): Promise<void> {
    if (prompt.trim() === '' || [...this.all, ...QUESTIONS].includes(prompt)) return;
    await this.store.update(KEY, [prompt, ...this.own].slice(0, MAX_OWN));
  }

  async forget(prompt: string): Promise<void> {
    await this.store.update(
      KEY,
      this.own.filter((other) => other !== prompt),
    );
  }
}
