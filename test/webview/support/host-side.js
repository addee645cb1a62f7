// What VS Code puts into a webview before its script runs: the door to the host, and the theme. Plain JavaScript, for
// it is loaded into the page as it is. `__webview` is the state and theme that page.ts chose.
(() => {
  const { state, theme } = window.__webview;
  window.acquireVsCodeApi = () => ({
    postMessage: (message) => void window.hostReceives(message),
    getState: () => state,
    setState: (kept) => void window.hostKeeps(kept),
  });
  document.addEventListener('DOMContentLoaded', () => {
    document.body.className = theme.bodyClass;
    document.body.dataset.vscodeThemeKind = theme.kind;
    for (const [name, value] of Object.entries(theme.variables)) {
      document.documentElement.style.setProperty(name, value);
    }
  });
})();
