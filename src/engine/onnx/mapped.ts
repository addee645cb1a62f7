/** Tells of the files that onnxruntime maps. It is apart from sessions, so that to listen loads nothing that makes graphs. */
let listener: (files: readonly string[]) => void = () => undefined;

/** From now on `tell` gets the files that onnxruntime is about to map, some of them again and again. */
export function onMapped(tell: (files: readonly string[]) => void): void {
  listener = tell;
}

/** onnxruntime is about to map these files. */
export function tellMapped(files: readonly string[]): void {
  listener(files);
}
