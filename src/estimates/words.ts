/** Estimated times and memory as text. */
import { formatBytes } from '../format/numbers';
import { l10n } from '../l10n';

/** "up to 1.2 GB of memory" */
export const memoryWords = (bytes: number): string => l10n.t('up to {0} of memory', roughBytes(bytes));

/** Why a job may not fit; undefined where it does. @param free bytes */
export const memoryWarning = (bytes: number, free: number): string | undefined =>
  bytes <= free
    ? undefined
    : l10n.t('it may need {0} of memory, and {1} are free', roughBytes(bytes), formatBytes(free));

/** An estimate has two digits. */
export const roughBytes = (bytes: number): string => formatBytes(Number(bytes.toPrecision(2)));

const FEW_SECONDS = 10;

/** The same with "about" where it is a number. */
const aboutTime = (seconds: number): string =>
  seconds < FEW_SECONDS ? roughTime(seconds) : l10n.t('about {0}', roughTime(seconds));

/** An estimated time, rounded: "a few seconds", "40 s", "1:20", "50 min", "2 h 10 min", "1 day 5 h", "6 days". */
export function roughTime(seconds: number): string {
  if (seconds < FEW_SECONDS) return l10n.t('a few seconds');
  const tens = Math.round(seconds / 10) * 10;
  if (tens < 60) return l10n.t('{0} s', tens);
  if (tens < 600) return `${Math.floor(tens / 60)}:${String(tens % 60).padStart(2, '0')}`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return l10n.t('{0} min', minutes);
  const hours = Math.round(minutes / 60);
  if (hours < 24) return l10n.t('{0} h {1} min', Math.floor(minutes / 60), minutes % 60);
  if (hours === 24) return l10n.t('1 day');
  if (hours < 48) return l10n.t('1 day {0} h', hours - 24);
  return l10n.t('{0} days', Math.round(hours / 24));
}

/** A guess may be this many times too long or too short. */
const GUESS_FACTOR = 2;

/** An estimated time. */
interface Time {
  readonly seconds: number;
  readonly measured: boolean;
}

/** What a guess takes at most: where a time decides something, one that was never measured counts as this. */
export const atMost = ({ seconds, measured }: Time): number => (measured ? seconds : GUESS_FACTOR * seconds);

const atLeast = ({ seconds, measured }: Time): number => (measured ? seconds : seconds / GUESS_FACTOR);

/** A time that this machine has not shown yet: "a few seconds", "roughly 20 to 80 s", "roughly 2 to 9 min". */
export const guessedTime = (seconds: number): string => summedTime([{ seconds, measured: false }]);

/** What is that near to another time is the same, said roughly. */
const ALIKE = 1.25;
/** A guess that cannot take longer is a few seconds. */
const MOST_OF_FEW = 15;

/** The time of work one after the other: a range as soon as guesses decide it, "about 2:00" otherwise. */
export function summedTime(times: readonly Time[]): string {
  const sum = (of: (time: Time) => number): number => times.reduce((total, time) => total + of(time), 0);
  const [seconds, least, most] = [sum((time) => time.seconds), sum(atLeast), sum(atMost)];
  if (most <= ALIKE * seconds || most <= MOST_OF_FEW) return aboutTime(seconds);
  return l10n.t('roughly {0}', range(least, most));
}

/** The same of one estimate, marked: "about 2:00", "a few seconds", "roughly 2 to 9 min (a guess)". */
export function markedTime(time: Time): string {
  const words = summedTime([time]);
  // "A few seconds" is no number, and needs no measurement.
  return time.measured || words === roughTime(0) ? words : l10n.t('{0} (a guess)', words);
}

function range(least: number, most: number): string {
  const [low, high] = [unitOf(least), unitOf(most)];
  if (low.unit !== high.unit) return l10n.t('{0} to {1}', inUnit(least, low), inUnit(most, high));
  return inUnit(most, high, count(least, low));
}

interface Unit {
  readonly unit: 's' | 'min' | 'h' | 'days';
  readonly seconds: number;
  /** Numbers are multiples of it. */
  readonly step: number;
}

/** In the order of their size, each up to where the next one begins. */
const UNITS: readonly (Unit & { readonly below: number })[] = [
  { unit: 's', seconds: 1, step: 5, below: 90 },
  { unit: 'min', seconds: 60, step: 1, below: 3600 },
  { unit: 'h', seconds: 3600, step: 1, below: 48 * 3600 },
  { unit: 'days', seconds: 86_400, step: 1, below: Infinity },
];

const unitOf = (seconds: number): Unit => UNITS.find(({ below }) => seconds < below)!;

const count = (seconds: number, { seconds: each, step }: Unit): number => step * Math.round(seconds / each / step);

/** "9 min", or with a start "2 to 9 min". */
function inUnit(seconds: number, unit: Unit, from?: number): string {
  const most = count(seconds, unit);
  const numbers = from === undefined ? String(most) : l10n.t('{0} to {1}', from, most);
  switch (unit.unit) {
    case 's':
      return l10n.t('{0} s', numbers);
    case 'min':
      return l10n.t('{0} min', numbers);
    case 'h':
      return l10n.t('{0} h', numbers);
    case 'days':
      return l10n.t('{0} days', numbers);
  }
}
