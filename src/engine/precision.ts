/**
 * Precisions that a model can compute in. The weights of a file are what they are: a precision is a source over another
 * source, which applies Linears in its own arithmetic (`WeightSource.apply`).
 */

/**
 * float32: exact products of the stored weights. float16: half precision, on a GPU. bfloat16: factors rounded to that, on Linux
 * for arm64. int8, int4: weights rounded to integers with a scale. From many bits to few.
 */
export const PRECISIONS = ['float32', 'float16', 'bfloat16', 'int8', 'int4'] as const;

/** The arithmetic of a number. */
export type Precision = (typeof PRECISIONS)[number];

/** `auto`: what suits the job and the machine. */
export const PRECISION_CHOICES = ['auto', ...PRECISIONS] as const;

export type PrecisionChoice = (typeof PRECISION_CHOICES)[number];

/** Of a whole run: `mixed` where single numbers say their own. */
export type RunPrecision = Precision | 'mixed';

/** The most bytes that kept quantized weights have, unless the user says otherwise: two models of 7 billion parameters in 8 bits. */
export const QUANTIZED_LIMIT = 20 * 2 ** 30;
