/** Checks numbers in input boxes. @returns the error, or undefined */
import * as vscode from 'vscode';

export function wholeNumberFault(text: string, least: number, most: number): string | undefined {
  const value = /^\d{1,15}$/.test(text.trim()) ? Number(text) : NaN;
  if (value >= least && value <= most) return undefined;
  if (most === Infinity) return vscode.l10n.t('Enter a whole number of at least {0}.', least);
  return vscode.l10n.t('Enter a whole number from {0} to {1}.', least, most);
}

/** Checks a share above 0 and below 1. */
export function shareFault(text: string): string | undefined {
  const value = Number(text.trim().replace(/%$/, '')) / (text.trim().endsWith('%') ? 100 : 1);
  return value > 0 && value < 1 ? undefined : vscode.l10n.t('Enter a share, such as 20% or 0.2.');
}

/** "20%" or "0.2" → 0.2. */
export function parseShare(text: string): number {
  const plain = text.trim();
  return plain.endsWith('%') ? Number(plain.slice(0, -1)) / 100 : Number(plain);
}

/** The fault of a number that must be above 0; undefined if it is. */
export const positiveFault = (text: string): string | undefined =>
  text.trim() !== '' && Number(text) > 0 && Number.isFinite(Number(text))
    ? undefined
    : vscode.l10n.t('Enter a number above 0, such as 0.5');
