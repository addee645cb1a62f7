/**
 * A tool for agents, defined once. VS Code offers it to its chat (src/lm), `coppice mcp` to any other agent (src/mcp).
 * A tool is a thin face of jobs: its schema comes from their definitions, its numbers are theirs.
 */
import type { JsonObject } from '../format/json';
import type { ReportAssets } from '../engine/records/report';
import type { MachineSpeeds } from '../estimates/machine';
import type { JsonSchema } from '../jobs/schema';
import type { JobDesk } from './desk';

/**
 * What running a tool does: `reads` answers at once and changes nothing; `computes` takes time and changes nothing but
 * the folder of records; `writes` makes a file or a folder.
 */
export type Effect = 'reads' | 'computes' | 'writes';

export interface AgentTool {
  /** "coppice_score": lower case, digits and underscores. */
  readonly name: string;
  /** A few words for the user, translated: "Score blocks". */
  title(): string;
  /** What it does, when to use it, and what it returns, for the language model. */
  readonly description: string;
  /** JSON Schema (draft 2020-12) of its input: an object. */
  readonly input: JsonSchema;
  readonly effect: Effect;
  /**
   * What the user is asked before it runs: paths, sizes and the expected time. Undefined if it needs no question.
   * @throws UserError for an input that is not valid
   */
  confirmation?(input: JsonObject, context: AgentContext): Promise<Confirmation | undefined>;
  /**
   * @returns text for the language model: short, numbers with units, at most `context.budget`
   * @throws UserError that says what to do; its words are those of `agentText`
   */
  run(input: JsonObject, context: AgentContext): Promise<string>;
}

export interface Confirmation {
  readonly title: string;
  /** Markdown; names from files are escaped. */
  readonly message: string;
}

/** What a tool may use. */
export interface AgentContext {
  /** Resolves and checks every path of an input. */
  readonly paths: PathGuard;
  /** Runs jobs, also those that take longer than an answer may. */
  readonly desk: JobDesk;
  /** Ends when the agent no longer waits. */
  readonly signal: AbortSignal;
  readonly budget: TextBudget;
  /** Folders for records of runs; see `JobBase.records`. */
  readonly records: readonly string[];
  /** How long an answer waits for a job before it gives the job's id instead, in milliseconds. */
  readonly waitMs: number;
  /** Calibration text where an input names none: that of the editor's settings. */
  readonly calibration?: string;
  /** Estimates of times, from what ran on this machine. */
  readonly speeds: MachineSpeeds;
  /** What draws the charts of reports. @throws UserError when the installation does not have it */
  readonly assets: () => Promise<ReportAssets>;
}

/** Which paths an agent may use. */
export interface PathGuard {
  /** @returns the absolute path @throws UserError outside the roots */
  read(path: string): Promise<string>;
  /** The same for something to write. @throws UserError outside the roots, and inside a checkpoint */
  write(path: string): Promise<string>;
  /** The folders that an agent may use, absolute. */
  readonly roots: readonly string[];
}

/** How much text an answer may have. */
export interface TextBudget {
  /** Tokens. */
  readonly most: number;
  /** Tokens of a text; by a rough rule where the host cannot count. */
  count(text: string): Promise<number>;
}
