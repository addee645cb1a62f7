/** Style of the page of before and after, beside that of reports. Colours come from the theme, or from the report's own. */
export const STYLE = `
.before-after { max-width: 1080px; }
.head-line { display: flex; flex-wrap: wrap; gap: 2px 20px; }
.head-links { display: flex; flex-wrap: wrap; gap: 2px 16px; }
.before-after a { color: var(--vscode-textLink-foreground, var(--kept)); }
.before-after a:focus-visible, .before-after summary:focus-visible { outline: 1px solid var(--vscode-focusBorder); outline-offset: 2px; }
.decision { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 10px; padding: 10px 14px;
  border: 1px solid var(--line); border-left: 4px solid var(--muted); border-radius: 6px; background: var(--paper); }
.decision.is-yes { border-left-color: var(--good); }
.decision.is-no { border-left-color: var(--removed); }
.decision strong { max-width: calc(100% - 2em); font-size: 1.15em; font-weight: 600; }
.decision .sign { font-weight: 700; }
.figures { margin: 14px 0; grid-template-columns: repeat(auto-fit, minmax(165px, 1fr)); }
.figure-box.is-open strong { font-size: 1.1em; color: var(--muted); }
.figure-box .muted { white-space: normal; }
.before-after .card + .card { margin-top: 14px; }
.change { color: var(--muted); white-space: nowrap; }
.of { color: var(--muted); font-size: 0.88em; max-width: 64ch; overflow-wrap: anywhere; }
thead th { white-space: normal; }
.before-after .prompt { margin-top: 16px; }
.before-after h4 { margin: 0; font-size: 0.92em; font-weight: 600; color: var(--muted); overflow-wrap: anywhere; }
.before-after .samples-grid { margin-top: 6px; }
.before-after .sample { grid-template-rows: auto 1fr auto; }
.before-after .sample > header { min-height: 0; }
.before-after .sample-text { font-family: inherit; font-size: inherit; max-height: none; min-height: 0; }
.before-after a.action { display: inline-block; margin: 8px 0 4px; padding: 5px 12px; border-radius: 4px; text-decoration: none;
  color: var(--vscode-button-foreground, #fff); background: var(--vscode-button-background, #0a66c2);
  border: 1px solid var(--vscode-button-border, var(--vscode-contrastBorder, transparent)); }
.before-after a.action:hover { background: var(--vscode-button-hoverBackground, #08569f); }
.sizes-chart { display: block; max-width: 720px; margin: 8px 0; font-size: 11px; }
.sizes-chart text { fill: currentColor; }
.sizes-chart path { fill: none; stroke: currentColor; stroke-width: 1.6; }
.sizes-chart .grid-line { stroke: var(--line); stroke-width: 1; }
.sizes-chart .goal { stroke: var(--removed); stroke-dasharray: 6 3; }
.sizes-chart circle { fill: var(--paper); stroke: currentColor; stroke-width: 1.6; }
.sizes-chart .is-worth { fill: currentColor; }
.sizes-chart .line-1 path { stroke-dasharray: 6 3; }
.sizes-chart .line-2 path { stroke-dasharray: 2 3; }
.sizes-chart .line-3 path { stroke-dasharray: 8 3 2 3; }
.sizes-chart .line-4 path { stroke-dasharray: 4 2; }
.sizes-chart .line-5 path { stroke-dasharray: 10 4; }
.before-after ul { margin: 6px 0; padding-left: 22px; }
.before-after summary { color: var(--muted); cursor: pointer; }
.before-after pre { margin: 2px 0 6px; font-family: var(--vscode-editor-font-family); font-size: 0.92em; white-space: pre-wrap; overflow-wrap: anywhere; }
`;
