/** The tools for agents. */
import type { AgentTool } from './tool';
import { compareTexts } from './tools/compare-texts';
import { forecastDraft } from './tools/draft';
import { evaluate } from './tools/evaluate';
import { dropExperts } from './tools/experts';
import { exportModel } from './tools/export';
import { heal } from './tools/heal';
import { inspect } from './tools/inspect';
import { cancelJob, jobResult, jobStatus } from './tools/jobs';
import { plan } from './tools/plan';
import { planRecipeTool } from './tools/plan-recipe';
import { prune } from './tools/prune';
import { runRecipeTool } from './tools/run-recipe';
import { score } from './tools/score';
import { compareSizes } from './tools/sizes';
import { tasks } from './tools/tasks';
import { trimVocabulary } from './tools/vocabulary';

export const AGENT_TOOLS: readonly AgentTool[] = [
  ...[inspect, score, plan, prune, heal],
  ...[evaluate, tasks, compareTexts, compareSizes, trimVocabulary, dropExperts, forecastDraft, exportModel],
  ...[planRecipeTool, runRecipeTool],
  ...[jobStatus, jobResult, cancelJob],
];
