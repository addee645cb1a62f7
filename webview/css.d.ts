/** esbuild bundles style sheets. Their imports have no value. */
declare module '*.css';
