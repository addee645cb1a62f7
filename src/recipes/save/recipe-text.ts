/** The text of a recipe that was made from runs. */
import { dirname, isAbsolute, relative, sep } from 'node:path';
import { version } from '../../../package.json';
import { isInside } from '../../engine/files/paths';
import { type Json, RECIPE_VERSION } from '../recipe';
import type { JsonObject } from '../../format/json';
import type { Kind } from '../../jobs/kinds';
import { literal } from '../references';
import { Count, type Draft, type Named, NamedBlocks, OuterPath, OutputOf, tokensIn, written } from './draft';
import { outputText, ownOutputs } from './places';
import type { DraftStep } from './maker';
import { printed } from './print';
import type { SaveRequest } from './request';

/** @param left runs that no step repeats, in words */
export function recipeText(request: SaveRequest, steps: readonly DraftStep[], left: readonly string[]): string {
  const { file, model } = request;
  const home = dirname(file);
  const names = new Variables(request, steps);
  const kindOf = (name: string): Kind => steps.find((step) => step.name === name)!.job;
  const valueOf = (token: Named | OutputOf): Json =>
    token instanceof OutputOf ? outputText(token, kindOf(token.step.name)) : names.valueOf(token);
  const drafts = steps.map((step) => {
    const { name, job, options, comments } = step;
    return {
      name,
      comments,
      value: { job, options: { ...own(written(options, valueOf)), ...ownOutputs(step, file) } },
    };
  });
  const isBundled = request.installation !== undefined && isInside(model.path, request.installation);
  const outside = isOutside(home, model.path) ? [isBundled ? BUNDLED : OUTSIDE] : [];
  return printed({
    comments: [
      `Saved from the runs of ${model.name} with Coppice ${version}: what each step gave then is beside it.`,
      'Each run of this recipe repeats only what has changed: coppice run FILE',
    ],
    fields: [
      { name: 'coppice', value: RECIPE_VERSION, comments: [] },
      { name: 'model', value: literal(pathText(home, model.path)), comments: outside },
    ],
    variables: names.list,
    steps: drafts,
    left,
  });
}

const own = (options: Json): JsonObject => options as JsonObject;

const BUNDLED =
  'in the folder of this version of Coppice, which the next version replaces: copy the model beside this file to keep it';

const OUTSIDE = 'outside of this folder: another machine needs its own path here';

const isOutside = (home: string, path: string): boolean => !isInside(path, home);

/** Relative inside the recipe's folder; a path elsewhere is absolute. */
function pathText(home: string, path: string): string {
  if (isOutside(home, path)) return path;
  const way = relative(home, path).split(sep).join('/');
  return isAbsolute(way) ? way : `./${way}`.replace(/^\.\/$/, '.');
}

export interface Variable {
  readonly name: string;
  readonly value: Json;
  readonly comments: readonly string[];
}

/** What several steps use, and paths that another machine has elsewhere, as variables. */
class Variables {
  readonly list: Variable[] = [];
  private readonly names = new Map<string, string>();

  private readonly home: string;

  constructor(
    private readonly request: SaveRequest,
    steps: readonly DraftStep[],
  ) {
    this.home = dirname(request.file);
    const uses = new Map<string, { token: Named; steps: number }>();
    for (const { options } of steps) {
      const own = new Map(tokensIn(options as Draft).map((token) => [keyOf(token), token]));
      for (const [key, token] of own) {
        const { token: first, steps: count } = uses.get(key) ?? { token, steps: 0 };
        uses.set(key, {
          token: token instanceof OuterPath && token.option === 'calibration' ? token : first,
          steps: count + 1,
        });
      }
    }
    for (const [key, { token, steps: count }] of uses) if (this.isWorth(token, count)) this.name(key, token);
  }

  valueOf(token: Named): Json {
    const name = this.names.get(keyOf(token));
    return name === undefined ? this.plain(token, true) : `\${${name}}`;
  }

  private placeOf({ path }: OuterPath): string {
    return this.request.instead?.get(path) ?? path;
  }

  private isWorth(token: Named, steps: number): boolean {
    if (token instanceof Count) return true; // what is changed first
    return steps > 1 || (token instanceof OuterPath && isOutside(this.home, this.placeOf(token)));
  }

  private name(key: string, token: Named): void {
    const base =
      token instanceof OuterPath
        ? (VARIABLES[token.option] ?? token.option)
        : token instanceof Count
          ? 'count'
          : 'blocks';
    let name = base;
    for (let n = 2; this.list.some((each) => each.name === name); n++) name = `${base}_${n}`;
    this.names.set(key, name);
    const comments = token instanceof OuterPath && isOutside(this.home, this.placeOf(token)) ? [OUTSIDE] : [];
    this.list.push({ name, value: this.plain(token, false), comments });
  }

  /** @param isText whether it stands in a text, where `${` means a reference; values of variables name nothing */
  private plain(token: Named, isText: boolean): Json {
    if (token instanceof Count) return token.count;
    if (token instanceof NamedBlocks) return token.blocks;
    const path = pathText(this.home, this.placeOf(token));
    return isText ? literal(path) : path;
  }
}

/** Names of variables for the files that options read. */
const VARIABLES: Readonly<Record<string, string>> = { own: 'questions', data: 'data', checkpoint: 'other_model' };

function keyOf(token: Named): string {
  if (token instanceof OuterPath) return `path ${token.path}`;
  return token instanceof Count ? `count ${token.count}` : `blocks ${token.blocks.join()}`;
}
