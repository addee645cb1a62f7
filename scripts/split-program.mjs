/**
 * Programs in CommonJS of several files. What a program imports by a call, and nothing else of it, is in files of its own, which are
 * read when the call runs. esbuild splits ES modules alone: it makes those here, and each file is turned into CommonJS afterwards.
 */
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, extname, resolve } from 'node:path';
import { build, transform } from 'esbuild';

/**
 * The options of a program whose other files lie beside it: `NAME-HASH.cjs`.
 * @param options those of esbuild for a program in one file
 */
export async function splitProgram({ outfile, banner, ...options }) {
  const name = basename(outfile, extname(outfile));
  const [first] = options.entryPoints;
  const later = await importedLater({ ...options, outfile });
  return {
    ...options,
    format: 'esm',
    splitting: true,
    write: false,
    outdir: dirname(outfile),
    entryNames: name,
    chunkNames: `${name}-[hash]`,
    outExtension: { '.js': extname(outfile) },
    ...(options.sourcemap && { sourcemap: 'inline' }),
    plugins: [afterTheFirst(resolve(first), later), asCommonJs(name, dirname(outfile), { ...options, banner })],
  };
}

/**
 * Keeps what the program needs at once in one file. esbuild makes a file for each set of callers that share code; here everything that is
 * loaded later formally needs the whole beginning, which is there already, so that there are no such sets within it.
 * @param later absolute paths of what is imported by a call
 */
const afterTheFirst = (first, later) => ({
  name: 'after-the-first',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      if (!later.has(path)) return undefined;
      return { contents: `${readFileSync(path, 'utf8')}\nimport ${JSON.stringify(first)};\n`, loader: 'ts' };
    });
  },
});

/** Absolute paths of what a program imports by a call and in no other way before. */
async function importedLater(options) {
  const whole = { ...options, minify: false, sourcemap: false, metafile: true, write: false };
  const { inputs } = (await build(whole)).metafile;
  const [first] = options.entryPoints;
  const atOnce = new Set([first]);
  const later = new Set();
  for (const file of atOnce) {
    for (const { path, kind } of inputs[file].imports)
      if (path in inputs && kind !== 'dynamic-import') atOnce.add(path);
  }
  for (const { imports } of Object.values(inputs)) {
    for (const { path, kind } of imports) if (kind === 'dynamic-import' && !atOnce.has(path)) later.add(resolve(path));
  }
  return later;
}

const asCommonJs = (name, folder, { target, minify, sourcemap, banner }) => ({
  name: 'as-commonjs',
  setup: ({ onEnd }) =>
    onEnd(async ({ errors, outputFiles }) => {
      if (errors.length > 0) return;
      mkdirSync(folder, { recursive: true });
      const options = { format: 'cjs', platform: 'node', target, minify, supported: { 'dynamic-import': false } };
      const made = outputFiles.map(async ({ path, text }) => {
        const map = sourcemap && { sourcemap: 'external', sourcefile: basename(path) };
        const { code, map: lines } = await transform(text, { ...options, ...map, banner: banner.js });
        writeFileSync(path, sourcemap ? `${code}//# sourceMappingURL=${basename(path)}.map\n` : code);
        if (sourcemap) writeFileSync(`${path}.map`, lines);
        return basename(path);
      });
      removeOthers(name, folder, await Promise.all(made));
    }),
});

/** Parts of earlier builds. */
function removeOthers(name, folder, made) {
  const isPart = (file) => file.startsWith(`${name}-`) && /\.cjs(\.map)?$/.test(file);
  for (const file of readdirSync(folder).filter(isPart)) {
    if (!made.includes(file.replace(/\.map$/, ''))) rmSync(`${folder}/${file}`, { force: true });
  }
}
