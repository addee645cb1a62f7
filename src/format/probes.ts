/** Words about probes that every page has. Pure. */

/** Beside a probe in which the original is no better than a model that guesses. */
export const UNABLE = 'the original cannot do this either';

/** Of a model without another one beside it. */
export const GUESSES = 'no better than guessing';
