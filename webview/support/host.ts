/** The connection to the extension host: typed messages in both directions, and state that outlives the page. */
import { isObject } from '../../src/format/json';

interface VsCodeApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare function acquireVsCodeApi(): VsCodeApi;

export interface Host<To, State extends object> {
  post(message: To): void;
  /** The state that was kept when the page was last shown; undefined the first time. */
  readonly state: Partial<State> | undefined;
  /** Merges `changes` into the kept state. */
  keep(changes: Partial<State>): void;
}

/** Connects the page; call it once. `receive` gets every message of the host. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the caller names the type of the host's messages
export function connect<From, To, State extends object>(receive: (message: From) => void): Host<To, State> {
  const api = acquireVsCodeApi();
  window.addEventListener('message', (event: MessageEvent<From>) => receive(event.data));
  const kept = api.getState();
  const state = isObject(kept) ? (kept as Partial<State>) : undefined;
  let current: Partial<State> = state ?? {};
  return {
    post: (message) => api.postMessage(message),
    state,
    keep(changes) {
      current = { ...current, ...changes };
      api.setState(current);
    },
  };
}
