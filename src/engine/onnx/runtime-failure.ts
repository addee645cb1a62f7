/**
 * Translates onnxruntime's errors for the user. onnxruntime throws plain Errors, which can be told apart only by their
 * text. An unknown error is a bug and is passed on unchanged.
 */
import { DeviceError, UserError } from '../errors';
import { option, set } from '../option-token';
import { reasonOfErrno } from '../system-failure';

interface Translation {
  readonly pattern: RegExp;
  readonly of: 'cpu' | 'gpu' | 'any';
  readonly say: (match: RegExpExecArray, device: string) => readonly [what: string, why: string, action: string];
}

const TO_CPU = `${set('device', 'cpu')}, or give a smaller ${option('memory')}.`;

const TRANSLATIONS: readonly Translation[] = [
  {
    pattern: /External data path does not exist: "([^"]*)"/,
    of: 'any',
    say: ([, file]) => [
      `${file} cannot be read`,
      'it was removed after the checkpoint was opened',
      'Restore it, or open the checkpoint again.',
    ],
  },
  {
    pattern: /External initializer: (\S+) offset: \d+ size to read: \d+ given file_length: (\d+)/,
    of: 'any',
    say: ([, tensor, length]) => [
      `${tensor} cannot be read from its file`,
      `the file ends before it, at ${length} bytes: it was truncated after the checkpoint was opened`,
      'Fetch the checkpoint again.',
    ],
  },
  {
    pattern: /pthread_create failed/,
    of: 'any',
    say: () => [
      'no more threads can be started',
      'the system refuses more memory or processes',
      `${set('threads', 1, 'give')}, or raise the limits (ulimit -v, ulimit -u).`,
    ],
  },
  {
    // onnxruntime itself maps or opens the files of weights.
    pattern: /SystemError : (\d+)|errcode = (\d+)/,
    of: 'any',
    say: ([, errno, other]) => {
      const { why, action } = reasonOfErrno(Number(errno ?? other));
      return ['the weights cannot be read', why, action];
    },
  },
  {
    pattern: /device (?:is |was )?lost|DEVICE_LOST|DEVICE_(?:HUNG|REMOVED|RESET)/i,
    of: 'gpu',
    say: (_, device) => [
      `the ${device} device stopped answering`,
      'its driver was reset, or another program crashed it',
      `Run again, or ${set('device', 'cpu')}.`,
    ],
  },
  {
    // WebGPU reports a buffer that it could not allocate when that buffer is used ("Invalid Buffer"), and a buffer that is
    // too large to bind when its parts are bound ("Too many storage buffers").
    pattern:
      /out of memory|OUT_OF_\w*MEMORY|Allocation size too large|Invalid Buffer|Too many storage buffers|exceeds the max buffer/i,
    of: 'gpu',
    say: (_, device) => [`the ${device} device has too little memory`, 'a buffer does not fit', TO_CPU],
  },
  {
    pattern: /Failed to allocate memory for requested buffer of size (\d+)|bad[_ ]alloc|Array buffer allocation failed/,
    of: 'any',
    say: ([, bytes]) => [
      'there is not enough memory',
      bytes === undefined
        ? 'the system refused to give more'
        : `${Math.ceil(Number(bytes) / 2 ** 20)} MiB more were needed at once`,
      `Give a smaller ${option('memory')}, or close other programs.`,
    ],
  },
];

/**
 * The error in terms that the user can act on, or `error` itself.
 * @param provider where the work ran: "cpu" or the name of a GPU provider
 */
export function translateFailure(error: unknown, provider: string): unknown {
  if (!(error instanceof Error) || error instanceof UserError) return error;
  const where = provider === 'cpu' ? 'cpu' : 'gpu';
  for (const { pattern, of, say } of TRANSLATIONS) {
    const match = of === 'any' || of === where ? pattern.exec(error.message) : null;
    const Failure = of === 'gpu' ? DeviceError : UserError;
    if (match) return new Failure(...say(match, provider), { cause: error });
  }
  return error;
}

/** The system loader's messages for "no memory". They differ by what the loader was doing. */
const NO_MEMORY = /cannot allocate memory|failed to map segment|cannot create shared object|cannot enlarge/i;

/** The error for an onnxruntime that cannot be loaded: its package is missing, or the system refuses its library. */
export function loadFailure(error: unknown): UserError {
  const message = error instanceof Error ? error.message.split('\n')[0] : String(error);
  const [why, action] = NO_MEMORY.test(message)
    ? ['there is too little memory to load its library', 'Raise the limit (ulimit -v), or close other programs.']
    : [message, 'Install Coppice again, for this operating system and processor.'];
  return new UserError('onnxruntime, which computes, cannot be loaded', why, action, { cause: error });
}
