/** What `--application` stands for: the texts of a job with the splits that it reads (engine/application). Pure. */
import type { JsonObject } from '../format/json';
import type { AnyJob } from './define';

/** The options with what their application's text stands for; the same where none is given. */
export function withApplication<O extends object>(job: AnyJob, options: O): O {
  const path = 'application' in options ? options.application : undefined;
  if (typeof path !== 'string' || job.application === undefined) return options;
  return { ...options, ...job.application(path, options as JsonObject) };
}

/** Options that name texts. */
const TEXTS = ['calibration', 'data', 'text', 'texts'] as const;

const isTexts = (name: string): boolean => TEXTS.some((text) => text === name);

/**
 * The job with `--application` where all texts that it names are that of the application: so that each job of an editor that knows
 * the application reads its own rows. A job that names another text too keeps its texts, and reads its split of each.
 * @param path of the application's text; undefined where none is known
 */
export function asApplication<S extends { readonly kind: string }>(
  spec: S,
  job: AnyJob | undefined,
  path: string | undefined,
): S {
  if (path === undefined || job?.application === undefined) return spec;
  const given = new Map<string, unknown>(Object.entries(spec));
  const named = TEXTS.flatMap((name) => [given.get(name)].flat().filter((each) => typeof each === 'string'));
  if (!named.includes(path)) return spec;
  const others = (job.options.application?.conflicts ?? []).filter((name) => name !== 'share' && !isTexts(name));
  if (others.some((name) => given.get(name) !== undefined)) return spec;
  const meant = job.application(path, Object.fromEntries(given));
  if (named.some((each) => each !== path)) return { ...spec, share: meant.share };
  const left = Object.entries(spec).filter(([name]) => name !== 'share' && !isTexts(name));
  return { ...Object.fromEntries(left), application: path } as unknown as S;
}
