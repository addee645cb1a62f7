/** A tool that runs one job: some of its options are the tool's input, and its result is the answer. */
import type { JsonObject } from '../format/json';
import { completeOptions } from '../jobs/complete';
import { JOBS } from '../jobs/definitions';
import type { Kind } from '../jobs/kinds';
import type { Options } from '../jobs/option';
import type { Jobs } from '../protocol/jobs';
import { inputSchema, readInput } from './input';
import { answerText } from './answer';
import { jobParts, warningLine } from './job-answer';
import type { AgentContext, AgentTool, Confirmation, Effect } from './tool';

export interface JobTool<K extends Kind> {
  readonly name: string;
  readonly kind: K;
  title(): string;
  readonly description: string;
  readonly effect: Effect;
  /** The options that the tool has; see `chosen`. */
  readonly options: Options;
  /** The job's options for an input that is checked, where they are not the same. @throws UserError */
  readonly given?: (input: JsonObject, context: AgentContext) => Given | Promise<Given>;
  /** What the user is asked, from the options of the job. */
  readonly ask?: (given: JsonObject, context: AgentContext) => Promise<Confirmation | undefined>;
}

/** The options of a job, and what the agent must know besides the result. */
interface Given {
  readonly options: JsonObject;
  readonly warnings?: readonly string[];
}

export function jobTool<K extends Kind>(tool: JobTool<K>): AgentTool {
  const { name, description, effect, options, ask } = tool;
  return {
    name,
    title: () => tool.title(),
    description,
    input: inputSchema(options),
    effect,
    ...(ask && {
      confirmation: async (input, context) => ask((await givenTo(tool, input, context)).options, context),
    }),
    async run(input, context) {
      const { records, desk, waitMs, signal, budget } = context;
      const { options: given, warnings = [] } = await givenTo(tool, input, context);
      const spec = { kind: tool.kind, ...given, records } as unknown as Jobs[K]['spec'];
      const job = await desk.start(spec, waitMs, signal);
      return answerText([...warnings.map(warningLine), ...jobParts(job)], budget);
    },
  };
}

/** The options of the job, checked together. @throws UserError */
async function givenTo<K extends Kind>(
  { name, kind, options, given }: JobTool<K>,
  input: JsonObject,
  context: AgentContext,
): Promise<Given> {
  const read = await readInput(name, options, input, context.paths);
  const all = given ? await given(read, context) : { options: read };
  completeOptions(JOBS[kind], all.options);
  return all;
}
