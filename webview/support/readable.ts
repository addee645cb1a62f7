/**
 * Keeps texts readable in every theme. Some themes have colours that are too faint on their own backgrounds; the page moves
 * such a colour towards black or white until it reaches the contrast that WCAG 2.2 asks for (https://www.w3.org/TR/WCAG22/).
 * Overrides lie on the body: VS Code writes a theme's colours to the root, which stay as they are.
 */
import { over, readable, type Rgba } from './contrast';

/** Of texts (1.4.3), and of marks in charts (1.4.11). */
const [TEXT, MARK] = [4.5, 3];

interface Pair {
  readonly ink: string;
  /** The colours that it stands on. */
  readonly on: readonly string[];
  readonly least: number;
  /** What stands there in a theme without this colour. */
  readonly otherwise?: string;
}

const PAGE = ['editor-background', 'editorWidget-background'];
const text = (ink: string, ...on: string[]): Pair => ({ ink, on: on.length > 0 ? on : PAGE, least: TEXT });
const mark = (ink: string): Pair => ({ ink, on: PAGE, least: MARK });

const PAIRS: readonly Pair[] = [
  ...['foreground', 'editor-foreground', 'descriptionForeground', 'textLink-foreground', 'errorForeground'].map((ink) =>
    text(ink),
  ),
  text('symbolIcon-classForeground'),
  text('charts-green'),
  ...['blue', 'purple', 'red', 'yellow', 'orange', 'foreground'].map((name) => mark(`charts-${name}`)),
  text('button-foreground', 'button-background'),
  text('button-secondaryForeground', 'button-secondaryBackground'),
  text('badge-foreground', 'badge-background'),
  text('input-foreground', 'input-background'),
  text('input-placeholderForeground', 'input-background'),
  text('dropdown-foreground', 'dropdown-background'),
  text('editorHoverWidget-foreground', 'editorHoverWidget-background'),
  text('list-hoverForeground', 'list-hoverBackground'),
  text('list-activeSelectionForeground', 'list-activeSelectionBackground'),
  // Most themes have no such texts, and Abyss has a background on which its foreground is faint.
  ...['info', 'warning', 'error'].map((kind) => ({
    ...text(`inputValidation-${kind}Foreground`, `inputValidation-${kind}Background`),
    otherwise: 'foreground',
  })),
];

/** Numbers on the tones of ranks (panel/theme.css); they stand on tones of another colour, not on one of the theme. */
const ON_TONES: readonly { readonly name: string; readonly ink: string; readonly tones: readonly string[] }[] = [
  { name: '--on-strong', ink: 'paper', tones: ['--tone-0', '--tone-1'] },
  { name: '--on-weak', ink: 'ink', tones: ['--tone-2', '--tone-3', '--tone-4'] },
];

/** Corrects the colours now, and whenever the theme changes. Call it before controls read the colours. */
export function keepReadable(): void {
  correct();
  const options = { attributes: true, attributeFilter: ['class', 'data-vscode-theme-id'] };
  new MutationObserver(correct).observe(document.body, options);
}

function correct(): void {
  const probe = document.createElement('span');
  document.body.append(probe);
  const theme = getComputedStyle(document.documentElement);
  const colourOf = (value: string): Rgba | undefined => {
    probe.style.color = '';
    probe.style.color = value;
    return probe.style.color === '' ? undefined : parse(getComputedStyle(probe).color);
  };
  const colour = (name: string): Rgba | undefined => {
    const value = theme.getPropertyValue(`--vscode-${name}`).trim();
    return value === '' ? undefined : colourOf(value);
  };
  const page = colour('editor-background') ?? [255, 255, 255, 1];
  for (const { ink, on, least, otherwise } of PAIRS) {
    const own = colour(ink) ?? (otherwise === undefined ? undefined : colour(otherwise));
    const behind = on
      .map(colour)
      .filter((each) => each !== undefined)
      .map((each) => over(each, page));
    set(`--vscode-${ink}`, own && behind.length > 0 ? readable(own, behind, least) : undefined);
  }
  correctTones(colourOf);
  probe.remove();
}

/** After the colours of the theme, of which the tones are mixed. */
function correctTones(colourOf: (value: string) => Rgba | undefined): void {
  const body = getComputedStyle(document.body);
  if (body.getPropertyValue('--heat') === '') return; // a page without ranks
  const [heat, paper] = ['var(--heat)', 'var(--paper)'].map(colourOf);
  if (!heat || !paper) return;
  for (const { name, ink, tones } of ON_TONES) {
    const own = colourOf(`var(--${ink})`);
    const behind = tones.map((tone) => {
      const [red, green, blue] = heat;
      return over([red, green, blue, Number(body.getPropertyValue(tone))], paper);
    });
    set(name, own && readable(own, behind, TEXT));
  }
}

/** @param corrected undefined: the style sheets' own colour */
function set(name: string, corrected: Rgba | undefined): void {
  const { style } = document.body;
  if (corrected) style.setProperty(name, `rgb(${corrected.slice(0, 3).join(' ')})`);
  else style.removeProperty(name);
}

/** "rgb(…)", "rgba(…)", and "color(srgb …)" of mixed colours, as computed styles have them. */
function parse(computed: string): Rgba | undefined {
  const [, kind, values] = /^(rgba?\(|color\(srgb )([^)]*)\)$/.exec(computed) ?? [];
  const parts = values?.split(/[\s,/]+/).map(Number);
  if (!parts || parts.length < 3 || parts.some(Number.isNaN)) return undefined;
  const [red, green, blue] = kind.startsWith('rgb') ? parts : parts.map((part) => 255 * part);
  return [red, green, blue, parts.at(3) ?? 1];
}
