/** The document of a webview: one script by nonce, one style sheet, nothing remote, nothing inline. */

export interface PageDocument {
  readonly title: string;
  readonly language: string;
  /** Addresses. */
  readonly script: string;
  readonly styleSheet: string;
  /** Source expression of the policy for the webview's own files. */
  readonly source: string;
  readonly nonce: string;
  /** Whether libraries in the page set style attributes. */
  readonly inlineStyles?: boolean;
}

export function pageDocument(page: PageDocument): string {
  const { nonce, source } = page;
  // With a nonce beside it 'unsafe-inline' would not count.
  const styles = page.inlineStyles ? `${source} 'unsafe-inline'` : `${source} 'nonce-${nonce}'`;
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${styles}`,
    `img-src ${source} data: blob:`,
    `font-src ${source}`,
  ].join('; ');
  // The controls' library takes the nonce from the element named csp-nonce, for the one style element that it makes.
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
  <script nonce="${nonce}" src="${escapeHtml(page.script)}"></script>
</body>
</html>`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}
