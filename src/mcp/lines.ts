/**
 * The lines of stdin, without those that are too long: the SDK would end the connection over one, and with it all jobs. A
 * request that is too long is answered, as far as its number can be found.
 */
import { Transform, type TransformCallback } from 'node:stream';

/** Less than the buffer of the SDK, which has 10 MiB and room for the start of the next line. */
export const MOST_BYTES = 8 * 2 ** 20;
/** Bytes of its ends that are kept of a long line. */
const KEPT = 200;

export class Lines extends Transform {
  private parts: Buffer[] = [];
  private bytes = 0;

  /** @param tooLong hears of a line that is left out, with the number of its request if that is known */
  constructor(private readonly tooLong: (id: string | number | undefined) => void) {
    super();
  }

  override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
    let from = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
      this.keep(chunk.subarray(from, end + 1));
      this.endLine();
      from = end + 1;
    }
    this.keep(chunk.subarray(from));
    done();
  }

  /** Of a line that is too long only its ends stay. */
  private keep(part: Buffer): void {
    if (part.length === 0) return;
    this.bytes += part.length;
    this.parts.push(part);
    if (this.bytes <= MOST_BYTES) return;
    const all = Buffer.concat(this.parts);
    this.parts = [all.subarray(0, KEPT), all.subarray(Math.max(KEPT, all.length - KEPT))].map((end) =>
      Buffer.from(end),
    );
  }

  private endLine(): void {
    const line = Buffer.concat(this.parts);
    if (this.bytes <= MOST_BYTES) this.push(line);
    else this.tooLong(idOf(line.toString('utf8')));
    this.parts = [];
    this.bytes = 0;
  }
}

/** The number of a request is the first or the last of its fields. */
function idOf(ends: string): string | number | undefined {
  const id = String.raw`"id"\s*:\s*(\d{1,15}|"[^"\\]{1,100}")`;
  const [, last] = new RegExp(String.raw`,\s*${id}\s*\}\s*$`).exec(ends) ?? [];
  const [, first] = new RegExp(String.raw`^\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?${id}`).exec(ends) ?? [];
  const found = last ?? first;
  return found === undefined ? undefined : (JSON.parse(found) as string | number);
}
