/**
 * Requests to a server of models. It may be a mirror that nobody knows, or a captured one: it sees the user's token only
 * itself, names no other address, and answers only so often.
 */
import { UserError } from '../engine/errors';

export interface Requests {
  /** Of the server. */
  readonly address: string;
  readonly token?: string;
  readonly signal?: AbortSignal;
  /** Whether the server may name other addresses, where files lie: these get no token. */
  readonly others?: boolean;
  /** Most requests. */
  readonly most?: number;
  /** Receives the bytes of answers as they come. */
  readonly count?: (bytes: number) => void;
  /** Answers in place of the server; undefined for a request that goes to it. */
  readonly instead?: (url: URL) => Response | undefined;
}

/** A fetch within these bounds. It throws UserError for a request beyond them. */
export function boundedFetch({ address, token, signal, others, most, count, instead }: Requests): typeof fetch {
  const { origin } = new URL(address);
  let made = 0;
  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const own = instead?.(url);
    if (own) return own;
    if (++made > (most ?? Infinity)) throw refused(address, `it answers with more than ${most} pages`);
    const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : {}));
    if (url.origin !== origin) {
      if (!others || url.protocol !== 'https:') throw refused(address, `it leads to ${url.origin}`);
      if (token !== undefined && headers.get('authorization')?.includes(token)) headers.delete('authorization');
    }
    const answer = await fetch(input, { ...init, headers, ...(signal && { signal }) });
    return count && answer.body ? counted(answer, answer.body, count) : answer;
  };
}

const refused = (address: string, why: string): UserError =>
  new UserError(
    `${new URL(address).host} cannot be used`,
    why,
    'Check the variable HF_ENDPOINT, and whom it belongs to.',
  );

function counted(answer: Response, body: ReadableStream<Uint8Array>, count: (bytes: number) => void): Response {
  const piped = body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform: (chunk, controller) => {
        count(chunk.length);
        controller.enqueue(chunk);
      },
    }),
  );
  const { status, statusText, headers } = answer;
  return new Response(piped, { status, statusText, headers });
}
