/**
 * Letters of languages: which tokens of a vocabulary can be of a language, by what they are written with. Pure: it imports nothing. From
 * the alphabets of the Unicode CLDR (exemplar characters, main and auxiliary), without what a language has of loan words only.
 */

const LATIN = 'A-Za-z';
const cjk = '\\p{Script=Han}';

/** Characters of each language, as a set of a regular expression. */
const LETTERS = {
  en: LATIN,
  de: `${LATIN}ÄÖÜäöüßẞ`,
  fr: `${LATIN}ÀÂÆÇÉÈÊËÎÏÔŒÙÛÜŸàâæçéèêëîïôœùûüÿ`,
  es: `${LATIN}ÁÉÍÑÓÚÜáéíñóúü`,
  it: `${LATIN}ÀÈÉÌÒÓÙàèéìòóù`,
  pt: `${LATIN}ÀÁÂÃÇÉÊÍÒÓÔÕÚàáâãçéêíòóôõú`,
  nl: `${LATIN}ÁÄÉËÍÏÓÖÚÜáäéëíïóöúü`,
  sv: `${LATIN}ÅÄÖÉåäöé`,
  da: `${LATIN}ÅÆØÉåæøé`,
  no: `${LATIN}ÅÆØÉÒåæøéò`,
  fi: `${LATIN}ÅÄÖŠŽåäöšž`,
  pl: `${LATIN}ĄĆĘŁŃÓŚŹŻąćęłńóśźż`,
  cs: `${LATIN}ÁČĎÉĚÍŇÓŘŠŤÚŮÝŽáčďéěíňóřšťúůýž`,
  tr: `${LATIN}ÂÇĞIİÎÖŞÛÜâçğıîöşûü`,
  vi: '\\p{Script=Latin}',
  ru: '\\p{Script=Cyrillic}',
  uk: '\\p{Script=Cyrillic}',
  el: '\\p{Script=Greek}',
  he: '\\p{Script=Hebrew}',
  ar: '\\p{Script=Arabic}',
  fa: '\\p{Script=Arabic}',
  hi: '\\p{Script=Devanagari}',
  bn: '\\p{Script=Bengali}',
  ta: '\\p{Script=Tamil}',
  th: '\\p{Script=Thai}',
  ko: `\\p{Script=Hangul}${cjk}`,
  zh: `${cjk}\\p{Script=Bopomofo}`,
  ja: `\\p{Script=Hiragana}\\p{Script=Katakana}${cjk}ー`,
} as const;

export type Language = keyof typeof LETTERS;
/** Their codes (ISO 639-1). */
export const LANGUAGES = Object.keys(LETTERS) as readonly Language[];

/** Whether all letters of a text are those of one of the languages. Digits, marks and signs are of every language. */
export function writtenIn(languages: readonly Language[]): (text: string) => boolean {
  const each = languages.map((language) => new RegExp(`^(?:[${LETTERS[language]}]|[^\\p{L}])*$`, 'u'));
  return (text) => each.some((pattern) => pattern.test(text));
}
