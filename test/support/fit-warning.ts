/** Toys have random weights, which fit no text, and jobs that choose blocks by a text say so. */

/** Begins that warning. */
export const FITS_NOTHING = 'The model does not fit th';

/** What a command told on stderr, without that warning. */
export const withoutFitWarning = (stderr: string): string =>
  stderr.replace(new RegExp(`^warning: ${FITS_NOTHING}.*\\n`, 'gm'), '');
