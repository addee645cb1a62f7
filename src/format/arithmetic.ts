/** What numbers were computed in, and where, in words. */

/** "float32 on cpu"; for `mixed`, where single numbers say their own, "float32 and int8 on cpu". */
export const arithmeticWords = (precision: string | null | undefined, device: string | null | undefined): string =>
  `${precisionWords(precision)} on ${device ?? 'cpu'}`;

/** Records of versions that knew float32 alone do not name it. */
export const precisionWords = (precision: string | null | undefined): string =>
  precision === 'mixed' ? 'float32 and int8' : (precision ?? 'float32');

/** Whether a run's numbers are all those of float32, so that they may stand beside others without a word. */
export const isFloat32 = (precision: string | null | undefined): boolean => precisionWords(precision) === 'float32';

/** The same for text and what is measured of it, where int8 and int4 are blocks. */
export const textArithmetic = (precision: string | null | undefined, device: string | null | undefined): string =>
  `${textWords(precision)} on ${device ?? 'cpu'}`;

export const textWords = (precision: string | null | undefined): string =>
  precision === 'int8' || precision === 'int4' ? `${precision} in blocks of 32` : precisionWords(precision);
