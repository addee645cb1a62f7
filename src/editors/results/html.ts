/** The page of the results panel: one script and one style sheet, both the extension's own, and nothing else. */

export interface PanelPage {
  /** Addresses of the bundled script and style sheet. */
  readonly script: string;
  readonly style: string;
  /** Where the editor serves the extension's files from. */
  readonly source: string;
  /** Fresh for each page; only scripts that carry it run. */
  readonly nonce: string;
  /** Path of the checkpoint. */
  readonly checkpoint: string;
}

/**
 * Charts style themselves with an inline style sheet, hence 'unsafe-inline' for styles; images are the charts on their
 * way to a PNG. Nothing can be loaded from elsewhere, and nothing sent.
 */
export function panelHtml({ script, style, source, nonce, checkpoint }: PanelPage): string {
  const policy = `default-src 'none'; script-src 'nonce-${nonce}'; style-src ${source} 'unsafe-inline'; img-src data:; font-src ${source}; base-uri 'none'; form-action 'none'`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escapeHtml(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Coppice: Results</title>
<link rel="stylesheet" href="${escapeHtml(style)}">
</head>
<body>
<div id="panel" data-checkpoint="${escapeHtml(checkpoint)}"><p class="loading" role="status">Reading the model and its runs …</p></div>
<script nonce="${nonce}" src="${escapeHtml(script)}"></script>
</body>
</html>
`;
}

export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
