/**
 * The sidecar: the process that computes. Its parent, the extension host, forks it and talks to it over the fork's
 * channel. It ends on request, when its parent ends, and after an uncaught error.
 */
import { version } from '../../package.json';
import { findGgufTensor } from '../engine/checkpoint/gguf/open';
import { isGguf } from '../engine/formats/gguf/file';
import { openCheckpoint } from '../engine/checkpoint/open';
import { tensorStatistics } from '../engine/checkpoint/statistics';
import { UserError } from '../engine/errors';
import type { DeviceReport } from '../engine/onnx/device';
import { onnxruntimeVersion } from '../engine/onnx/session';
import { watchParent } from '../engine/parent';
import { announce as announceStep } from '../engine/progress';
import { finishedOf, learnFrom } from '../estimates/learn';
import { MachineSpeeds } from '../estimates/machine';
import { requireRates } from '../estimates/measure-rates';
import type { JsonObject } from '../format/json';
import { formatBytes } from '../format/numbers';
import { optionsIn } from '../jobs/complete';
import { checkpointOf } from '../jobs/titles';
import type { JobOutcome, JobSpec } from '../protocol/jobs';
import { type LogLevel, PROTOCOL_VERSION } from '../protocol/messages';
import type { TensorStatistics, TensorStatisticsParams } from '../protocol/short';
import { answer, connectTo, hear, notify, WireFailure } from './connection';
import { laneOf, memoryBeside } from './lanes';
import { JobQueue } from './queue';
import { gatherSpec, runSpec } from '../jobs/run-spec';
import { ProgressThrottle } from './progress-throttle';
import { Turns } from './turns';
import { NOT_PREPARED, WhatIfService } from './what-if-service';
import { claimOf } from '../sharing/claims';
import { inTurn } from '../sharing/turn';
import { toWire } from './wire';

/** Exit code for the parent's log. */
const EXIT_FATAL = 70;
/** Time for running work to end on request. */
const PATIENCE_MS = 2000;
/** Time for the last messages to be sent. */
const LAST_WORDS_MS = 100;

const LEVELS: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error'];
let level: LogLevel = 'info';

const connection = connectTo(process);
const turns = new Turns();
const queue = new JobQueue((jobs) => notify(connection, 'jobs/changed', { jobs }));
const announce = announcer();
const speeds = MachineSpeeds.open();
const whatIf = new WhatIfService({ onDevice: announce }, (signal) => turns.wait(signal));

function log(at: LogLevel, text: string): void {
  if (LEVELS.indexOf(at) >= LEVELS.indexOf(level)) notify(connection, 'log', { level: at, text });
}

/** Notifies the host when the device changes. */
function announcer(): (device: DeviceReport) => void {
  let last = '';
  return (device) => {
    if (JSON.stringify(device) === last) return;
    last = JSON.stringify(device);
    log('debug', `computes on ${device.provider}: ${device.why}`);
    notify(connection, 'device/changed', device);
  };
}

/** Runs a short request and logs its time. */
async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  try {
    return await work();
  } finally {
    log('debug', `${what} took ${((performance.now() - start) / 1000).toFixed(2)} s`);
  }
}

async function run(id: string, spec: JobSpec, cancelled: AbortSignal): Promise<JobOutcome> {
  log('debug', `${id} waits: ${spec.kind} of ${checkpointOf(spec)}`);
  let step = '';
  const throttle = new ProgressThrottle((progress) => {
    if (progress.label !== step) log('debug', `${id}: ${(step = progress.label)}`);
    log('trace', `${id}: ${progress.done} of ${progress.total} ${progress.unit}`);
    queue.progress(id, progress);
    notify(connection, 'job/progress', { id, ...progress });
  });
  let device: DeviceReport | undefined;
  const onDevice = (report: DeviceReport): void => {
    device = report;
    announce(report);
  };
  const lane = laneOf(spec);
  const work = async (signal: AbortSignal): Promise<JobOutcome> => {
    log('info', `${spec.kind} begins: ${checkpointOf(spec)}`);
    const start = performance.now();
    try {
      const outcome = await runSpec(spec, {
        job: { signal, onProgress: throttle.report },
        // A long job waits for short ones before each of its runs.
        hooks: { onDevice, ...(lane !== 'short' && { beforeRun: () => turns.wait(signal) }) },
        emit: (event) => notify(connection, 'job/event', { id, event }),
      });
      await learnFrom(await speeds, finishedOf(spec, outcome, (performance.now() - start) / 1000));
      return outcome;
    } finally {
      throttle.flush();
      log('info', `${spec.kind} ends after ${((performance.now() - start) / 1000).toFixed(1)} s`);
    }
  };
  /** A short job does not stand in the machine's line: a long one of this process, which is before it there, waits for it. */
  const inItsTurn = async (signal: AbortSignal): Promise<JobOutcome> => {
    const onWait = (reason: string): void => announceStep({ onProgress: throttle.report }, `waiting: ${reason}`);
    return inTurn(await claimOf(spec.kind, optionsIn(spec) as JsonObject), { signal, onWait }, () => work(signal));
  };
  try {
    const beside = { lane, ...(lane === 'short' && { memory: () => roomFor(id, spec) }) };
    const run = lane === 'short' ? (signal: AbortSignal) => turns.short(() => work(signal)) : inItsTurn;
    return await queue.add({ id, kind: spec.kind, checkpoint: checkpointOf(spec), ...beside, run }, cancelled);
  } catch (error) {
    const wire = toWire(error, device !== undefined && device.provider !== 'cpu');
    if (wire.kind === 'bug') log('error', wire.stack ?? wire.message);
    throw new WireFailure(wire);
  }
}

/** Looks whether a short job fits into memory beside the long one, and logs both. */
async function roomFor(id: string, spec: JobSpec): ReturnType<typeof memoryBeside> {
  const memory = await memoryBeside(spec);
  const [needs, may, has] = [memory.needs, memory.may, process.memoryUsage.rss()].map(formatBytes);
  log('debug', `${id} needs ${needs} beside what runs, which has ${has}; it may take ${may} of what is free`);
  return memory;
}

async function statistics(
  { id, checkpoint, tensor }: TensorStatisticsParams,
  signal: AbortSignal,
): Promise<TensorStatistics> {
  const info = (await isGguf(checkpoint))
    ? await findGgufTensor(checkpoint, tensor)
    : (await openCheckpoint(checkpoint)).tensors.get(tensor);
  if (!info)
    throw new UserError(
      `No statistics of ${tensor}`,
      'the checkpoint has no such tensor',
      'Open the checkpoint again.',
    );
  const throttle = new ProgressThrottle((progress) => notify(connection, 'job/progress', { id, ...progress }));
  return tensorStatistics(info, { signal, onProgress: throttle.report });
}

answer(connection, 'initialize', ({ protocol, logLevel }) => {
  if (protocol !== PROTOCOL_VERSION) {
    throw new UserError(
      'Coppice and its compute process do not match',
      `their protocol versions are ${protocol} and ${PROTOCOL_VERSION}`,
      'Reload the window.',
    );
  }
  level = logLevel;
  return Promise.resolve({
    protocol: PROTOCOL_VERSION,
    pid: process.pid,
    versions: { coppice: version, node: process.versions.node, onnxruntime: onnxruntimeVersion() },
  });
});
answer(connection, 'job/run', ({ id, spec }, signal) => {
  whatIf.stopPreparing();
  return run(id, spec, signal);
});
answer(connection, 'job/cancel', ({ id }) => Promise.resolve({ found: queue.cancel(id) }));
answer(connection, 'tensor/statistics', (params, signal) =>
  timed(`statistics of ${params.tensor}`, () => turns.short(() => statistics(params, signal))),
);
answer(connection, 'view/perplexity', (params, signal) =>
  timed(`perplexity without ${params.remove?.join(', ') ?? 'nothing'}`, () =>
    turns.short(() => whatIf.evaluate(params, signal)),
  ),
);
// In no one's way: not beside a job, and short requests come before each of its runs.
answer(connection, 'view/prepare', async (params, signal) =>
  queue.isEmpty ? timed('preparing', () => whatIf.prepare(params, signal)) : NOT_PREPARED,
);
answer(connection, 'machine/rates', async (where) => {
  await timed('the first measurement of this machine', () =>
    turns.short(async () => requireRates(await speeds, where)),
  );
  return null;
});
// Beside the long job: it reads files and computes no model.
answer(connection, 'parts/gather', ({ folder, spec }, signal) =>
  timed(`gathering the parts in ${folder}`, () => gatherSpec(folder, spec, signal)),
);
answer(connection, 'shutdown', async () => {
  await settle();
  setTimeout(() => process.exit(0), LAST_WORDS_MS);
  return null;
});
hear(connection, 'log/level', (params) => {
  level = params.level;
});

/** Ends all work at its next pause: outputs are complete or removed, and a training saves its state. */
async function settle(): Promise<void> {
  queue.cancelAll();
  const patience = new Promise<void>((enough) => setTimeout(enough, PATIENCE_MS).unref());
  await Promise.race([Promise.all([queue.empty(), whatIf.close()]), patience]);
}

/** Reports an uncaught error and ends, since the state is unknown after it. */
function die(error: unknown): void {
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  notify(connection, 'fatal', { message, stack });
  setTimeout(() => process.exit(EXIT_FATAL), LAST_WORDS_MS);
}

process.on('uncaughtException', die);
process.on('unhandledRejection', die);
// Without a parent there is no one to answer to.
watchParent(() => void settle().finally(() => process.exit(0)));
connection.listen();
