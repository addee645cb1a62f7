/** Prompts to start with: one for models that know stories only, and the paper's (Kim et al. 2024; spec §1.15). */
export const PROMPTS: readonly string[] = [
  'Once upon a time, there was',
  'The Leaning Tower of Pisa is known for',
  'AI can create a logo in seconds',
  'What’s great about the holiday season,',
  'Neural network pruning is defined as',
];
