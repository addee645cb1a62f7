/** Types of all jobs by kind. No code at run time. */
import type { JOBS } from './definitions';
import type { EventOf, GivenOf, OptionsOf, ResultOf } from './define';

export type Defined = typeof JOBS;
export type Kind = keyof Defined;
export type GivenFor<K extends Kind> = GivenOf<Defined[K]>;
export type OptionsFor<K extends Kind> = OptionsOf<Defined[K]>;
export type ResultFor<K extends Kind> = ResultOf<Defined[K]>;
export type EventFor<K extends Kind> = EventOf<Defined[K]>;
