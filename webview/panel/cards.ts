/**
 * The cards that runs fill, in the order of a report. The panel has them in this order too, but for those that it folds. A new
 * card is its file, its style sheet and a line here.
 */
import { accuracyCard } from './sections/accuracy';
import { curveCard } from './sections/curve';
import { draftCard } from './sections/draft';
import { expertsCard } from './sections/experts';
import { frontierCard } from './sections/frontier';
import { healingCard } from './sections/healing';
import { importanceCard } from './sections/importance';
import { iterativeCard } from './sections/iterative';
import { measuredCard } from './sections/measured';
import type { Card } from './sections/section';
import { trainingCard } from './sections/training';
import { versusCard } from './sections/versus';
import { vocabularyCard } from './sections/vocabulary';

export const CARDS: readonly Card[] = [
  importanceCard,
  curveCard,
  trainingCard,
  healingCard,
  { ...accuracyCard, fold: 2 },
  { ...iterativeCard, fold: 1 },
  expertsCard,
  { ...vocabularyCard, fold: 3 },
  { ...draftCard, fold: 4 },
  { ...measuredCard, fold: 7 }, // it grows with a plan, and nothing but the list of runs may move by that
  { ...versusCard, fold: 5 },
  { ...frontierCard, fold: 6 },
];
