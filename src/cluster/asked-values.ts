/** Values that users ask of a scheduler, checked in the same way for each. */
import { messageOf, OptionError } from '../engine/errors';
import { MAX_PARTS } from '../engine/parts/part';
import { parseBytes } from '../jobs/values';

export const optional = <T>(text: string | undefined, read: (text: string) => T): T | undefined =>
  text === undefined ? undefined : read(text);

/** Reads values of one scheduler's options. Each method throws an OptionError that names the option. */
export class AskedValues<Name extends string> {
  constructor(
    private readonly title: string,
    private readonly names: readonly Name[],
  ) {}

  /** The options, if it has all of them. */
  known(given: Readonly<Record<string, string>>): Readonly<Partial<Record<Name, string>>> {
    const unknown = Object.keys(given).find((name) => !this.names.some((each) => each === name));
    if (unknown === undefined) return given as Readonly<Partial<Record<Name, string>>>;
    throw new OptionError(
      `${this.title} has no option ${unknown} here`,
      `the options are ${this.names.join(', ')}`,
      'Leave it out. What is missing can be added to the file before it is handed over.',
    );
  }

  refused(name: Name, value: string, must: string): OptionError {
    return new OptionError(
      `${name} of ${this.title} cannot be ${JSON.stringify(value)}`,
      `it must be ${must}`,
      'Give another value.',
    );
  }

  imageName(name: Name, text: string): string {
    if (/^[\w][\w./:@-]{0,254}$/.test(text)) return text;
    throw this.refused(name, text, 'the name of an image');
  }

  whole(name: Name, text: string): number {
    const value = /^\d{1,5}$/.test(text) ? Number(text) : 0;
    if (value >= 1 && value <= MAX_PARTS) return value;
    throw this.refused(name, text, `a whole number from 1 to ${MAX_PARTS}`);
  }

  /** A tenth of a processor is the least that makes sense. */
  processors(name: Name, text: string): number {
    const value = /^\d{1,4}(\.\d{1,3})?$/.test(text) ? Number(text) : 0;
    if (value >= 0.1) return value;
    throw this.refused(name, text, 'a number of processors, such as 4 or 0.5');
  }

  bytes(name: Name, text: string): number {
    try {
      return parseBytes(text);
    } catch (error) {
      throw new OptionError(
        `${name} of ${this.title} cannot be ${JSON.stringify(text)}`,
        messageOf(error),
        'Give another value.',
      );
    }
  }

  /** A folder of a volume, as a path with forward slashes. */
  insideVolume(name: Name, path: string): string {
    const parts = path.split('/');
    const isPlain = parts.every((part) => !['', '.', '..'].includes(part) && !/[\p{Cc}\\]/u.test(part));
    if (isPlain) return path;
    throw this.refused(name, path, 'a path inside the volume, such as runs/one');
  }
}
