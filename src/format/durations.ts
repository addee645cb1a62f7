/** Durations as text, in seconds. */

/** The time that a job took: 0.5 → "0.5 s", 75 → "1:15", 3725 → "1:02:05". */
export function formatSeconds(seconds: number): string {
  if (!Number.isFinite(seconds)) return '?';
  if (seconds < 59.95) return `${seconds < 10 ? seconds.toFixed(1) : String(Math.round(seconds))} s`;
  return hoursAndMinutes(Math.round(seconds));
}

/** An estimated time as a clock shows it, without tenths of a second: "0:07", "4:40". */
export function formatClock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  return whole < 60 ? `0:${twoDigits(whole)}` : formatSeconds(whole);
}

function hoursAndMinutes(seconds: number): string {
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h > 0 ? `${h}:${twoDigits(m)}:${twoDigits(s)}` : `${m}:${twoDigits(s)}`;
}

const twoDigits = (n: number): string => String(n).padStart(2, '0');
