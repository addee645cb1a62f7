/** Problems inside a file: a message for the user, and the position for an editor. */
import { UserError } from '../errors';
import { printable } from './bounded-json';

/** The content of a file violates its format. */
export class DamagedFile extends UserError {
  constructor(
    /** The file, as the checkpoint names it. */
    readonly file: string,
    /** The field of the file. */
    readonly field: string,
    why: string,
    action: string,
    /** Position in the file where the field begins, if known. */
    readonly offset?: number,
  ) {
    super(`${file}: ${field} is not valid`, why, action);
  }
}

/** Receives problems. If it throws, reading ends; if it returns, reading continues with the rest. */
export type Report = (problem: UserError) => void;

/** Ends the reading at the first problem. */
export const refuse: Report = (problem) => {
  throw problem;
};

/** Why a tensor is truncated. @param end position after its last byte @param bytes size of the file */
export const truncated = (tensor: string, end: number, bytes: number): string =>
  `the file is truncated: tensor "${printable(tensor, 120)}" needs bytes up to ${end}, the file ends at ${bytes}`;
