/** Settings of a run in words: an option's name is a name of the program. */

const amount = (value: string, noun: string): string => `${value} ${noun}${value === '1' ? '' : 's'}`;

const WORDS: Readonly<Record<string, (value: string) => string>> = {
  promptTokens: (value) => `prompts of ${amount(value, 'token')}`,
  newTokens: (value) => amount(value, 'new token'),
  maxNewTokens: (value) => `up to ${amount(value, 'token')}`,
  repeats: (value) => amount(value, 'run'),
  topK: (value) => `top k ${value}`,
  topP: (value) => `top p ${value}`,
};

/** "up to 64 tokens", "temperature 0.8" */
export const settingWords = (name: string, value: string): string => WORDS[name]?.(value) ?? `${name} ${value}`;
