/** Name, colour, symbol and dash of each criterion. All charts use the same ones. Colour is never the only difference. */
import { svg as svgEl } from '../../support/dom';
import { t } from '../../support/l10n';
import { sign } from './legend';

/** Names of the symbols that Observable Plot draws. */
type Sign = 'circle' | 'triangle' | 'square' | 'diamond' | 'star' | 'cross' | 'wye';

export interface SeriesStyle {
  readonly color: string;
  readonly symbol: Sign;
  readonly dash: string;
  readonly name: string;
  /** The name inside a sentence. */
  readonly nameInText: string;
}

const style = (n: number, symbol: Sign, dash: string, [name, nameInText]: readonly [string, string]): SeriesStyle => ({
  color: `var(--series-${n})`,
  symbol,
  dash,
  name,
  nameInText,
});

const STYLES: Readonly<Record<string, SeriesStyle>> = {
  ppl: style(1, 'circle', '', [t('Perplexity'), t('perplexity')]),
  kl: style(4, 'wye', '3 2 1 2', [t('KL divergence'), t('KL divergence')]),
  taylor: style(2, 'triangle', '6 3', [t('Taylor'), t('Taylor')]),
  magnitude: style(3, 'square', '2 3', [t('Magnitude'), t('magnitude')]),
  'block-influence': style(4, 'diamond', '8 3 2 3', [t('Block influence'), t('block influence')]),
  angular: style(5, 'star', '4 2', [t('Angular distance'), t('angular distance')]),
  greedy: style(6, 'cross', '10 4', [t('Greedy'), t('greedy')]),
  search: style(5, 'circle', '12 3 3 3', [t('Search'), t('search')]),
  energy: style(3, 'triangle', '2 2 8 2', [t('Energy'), t('energy')]),
  healed: style(2, 'diamond', '5 2 1 2', [t('Greedy after healing'), t('greedy after healing')]),
  'llm-pruner': style(3, 'square', '5 3', [t('LLM-Pruner'), t('LLM-Pruner')]),
  flap: style(4, 'diamond', '5 3', [t('FLAP'), t('FLAP')]),
  'wanda-sp': style(5, 'star', '5 3', [t('Wanda-sp'), t('Wanda-sp')]),
  deepest: style(7, 'wye', '1 3', [t('Deepest first'), t('deepest first')]),
};

/** The name of the criterion inside a sentence. */
export const nameInText = (criterion: string): string => seriesStyleOf(criterion).nameInText;

export function seriesStyleOf(criterion: string): SeriesStyle {
  return STYLES[criterion] ?? styleFromName(criterion);
}

/** The style of a criterion without an entry above. It depends only on the name. */
function styleFromName(criterion: string): SeriesStyle {
  const sum = Array.from(criterion, (letter) => letter.charCodeAt(0)).reduce((total, code) => total + code, 0);
  const signs = Object.keys(SIGNS) as Sign[];
  const words = criterion.replaceAll('-', ' ');
  const name = words.charAt(0).toUpperCase() + words.slice(1);
  return style(1 + (sum % 7), signs[Math.floor(sum / 7) % signs.length], '6 2 1 2', [name, words]);
}

const SIGNS: Readonly<Record<Sign, string>> = {
  circle: 'M12 2.2a3.8 3.8 0 1 0 .01 0Z',
  triangle: 'M12 2 16 9.5H8Z',
  square: 'M8.6 2.6h6.8v6.8H8.6Z',
  diamond: 'M12 1.5 15.5 6 12 10.5 8.5 6Z',
  star: 'M12 1l1.4 3.4 3.6.2-2.8 2.3.9 3.6L12 8.5l-3.1 2 .9-3.6L7 4.6l3.6-.2Z',
  cross: 'M10.6 2h2.8v2.6H16v2.8h-2.6V10h-2.8V7.4H8V4.6h2.6Z',
  wye: 'M12 6V10M12 6 8.7 3.2M12 6l3.3-2.8',
};

/** A line with its symbol, for legends. */
export function lineSign({ color, symbol, dash }: SeriesStyle): SVGElement {
  const path = SIGNS[symbol];
  return sign(
    24,
    svgEl('path', { d: 'M0 6H24', stroke: color, 'stroke-width': 1.5, 'stroke-dasharray': dash, fill: 'none' }),
    svgEl('path', { d: path, fill: color, stroke: color, 'stroke-width': symbol === 'wye' ? 2 : 0 }),
  );
}

const DASHES = ['', '6 3', '2 3', '8 3 2 3', '4 2', '10 4', '1 3'];

/** The style of the `n`-th of several models, from 0. */
export function nthStyle(n: number, name: string): SeriesStyle {
  const signs = Object.keys(SIGNS) as Sign[];
  return style(1 + (n % 7), signs[n % signs.length], DASHES[n % DASHES.length], [name, name]);
}
