/** What is wrong inside a file, and where: a message for people, and the place for an editor to point at. */
import { UserError } from '../errors';
import { printable } from './bounded-json';

/** A file says something that its format does not allow. */
export class DamagedFile extends UserError {
  constructor(
    /** The file, as the checkpoint names it. */
    readonly file: string,
    /** Which of its fields. */
    readonly field: string,
    why: string,
    action: string,
    /** Position in the file where the field begins, where that is known. */
    readonly offset?: number,
  ) {
    super(`${file}: ${field} is not valid`, why, action);
  }
}

/** Receives what is wrong. One that throws ends the reading; one that returns lets it go on with the rest. */
export type Report = (problem: UserError) => void;

/** The first problem ends it. */
export const refuse: Report = (problem) => {
  throw problem;
};

/** Why a tensor is not whole. @param end position after its last byte @param bytes size of the file */
export const truncated = (tensor: string, end: number, bytes: number): string =>
  `the file is truncated: tensor "${printable(tensor, 120)}" needs bytes up to ${end}, the file ends at ${bytes}`;
