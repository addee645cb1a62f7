/** The pages of all jobs that are commands. */
import type { Kind } from '../../jobs/kinds';
import { benchPage } from './bench';
import { curvePage } from './curve';
import { draftPage } from './draft';
import { evalPage } from './eval';
import { expertsPage } from './experts';
import { exportPage } from './export';
import { frontierPage } from './frontier';
import { generatePage } from './generate';
import { gridPage } from './grid';
import { healPage } from './heal';
import { iteratePage } from './iterate';
import { mergePage } from './merge';
import { prunePage } from './prune';
import { retrainPage } from './retrain';
import { scorePage } from './score';
import { tasksPage } from './tasks';
import { verifyPage } from './verify';
import { versusPage } from './versus';
import { vocabularyPage } from './vocabulary';
import { widthPage } from './width';
import type { Page } from './page';

const pages = {
  score: scorePage,
  curve: curvePage,
  prune: prunePage,
  width: widthPage,
  experts: expertsPage,
  vocabulary: vocabularyPage,
  iterate: iteratePage,
  heal: healPage,
  retrain: retrainPage,
  merge: mergePage,
  export: exportPage,
  verify: verifyPage,
  eval: evalPage,
  tasks: tasksPage,
  generate: generatePage,
  draft: draftPage,
  bench: benchPage,
  grid: gridPage,
  versus: versusPage,
  frontier: frontierPage,
} satisfies { readonly [K in Kind]?: Page<K> };

/** A job that is a command. */
export type PagedKind = keyof typeof pages;

export const PAGES: { readonly [K in PagedKind]: Page<K> } = pages;
