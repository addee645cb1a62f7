/** The document of a webview: one script by nonce, one style sheet, nothing remote, no code inline. */
import { escapeHtml } from '../format/words';

export interface PageDocument {
  readonly title: string;
  readonly language: string;
  /** Addresses of the files. */
  readonly script: string;
  readonly styleSheet: string;
  /** Source expression of the policy for the webview's own files. */
  readonly source: string;
  readonly nonce: string;
  /** Whether libraries in the page set style attributes. */
  readonly inlineStyles?: boolean;
  /** Translations by English text, as `vscode.l10n.bundle` has them; English when undefined. */
  readonly bundle?: Readonly<Record<string, string>>;
}

export function pageDocument(page: PageDocument): string {
  const { nonce, source } = page;
  // A nonce would make the browser ignore 'unsafe-inline'.
  const styles = page.inlineStyles ? `${source} 'unsafe-inline'` : `${source} 'nonce-${nonce}'`;
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${styles}`,
    `img-src ${source} data: blob:`,
    `font-src ${source}`,
  ].join('; ');
  // The controls' library makes one style element. It takes the nonce for it from the element named csp-nonce.
  return `<!DOCTYPE html>
<html lang="${escapeHtml(page.language)}">
<head>
  <meta charset="utf-8">
  <meta http-equiv="Content-Security-Policy" content="${escapeHtml(policy)}">
  <meta property="csp-nonce" content="${nonce}">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <link rel="stylesheet" href="${escapeHtml(page.styleSheet)}">
  <title>${escapeHtml(page.title)}</title>
</head>
<body>
  <main id="page"></main>
  ${page.bundle ? bundleBlock(page.bundle, nonce) : ''}
  <script nonce="${nonce}" src="${escapeHtml(page.script)}"></script>
</body>
</html>`;
}

/** Data for webview/support/l10n.ts. No text can end the element, because "<" is escaped. */
const bundleBlock = (bundle: Readonly<Record<string, string>>, nonce: string): string =>
  `<script nonce="${nonce}" type="application/json" id="l10n">${JSON.stringify(bundle).replaceAll('<', '\\u003c')}</script>`;
