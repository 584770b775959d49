/**
 * Characters that are drawn as nothing or that nobody can tell: controls, formatting and tag characters, variation
 * selectors, fillers, surrogates, private use, code points without a character, line and paragraph separators, and
 * the blanks among the symbols (braille, object replacement, a musical head). By the tables of the engine's ICU.
 */
const UNSEEN = /[\p{C}\p{Default_Ignorable_Code_Point}\u2028\u2029\u2800\ufffc\u{1d159}]/u;

/** Joiners that scripts and emoji need inside words. */
const JOINERS = /[\u200c\u200d\ufe0f]/gu;

/** True when every character of an id or an address can be seen. */
export function isVisible(text: string): boolean {
  return !UNSEEN.test(text);
}

/** True when every character of a text can be seen, but for joiners, which words of some scripts and emoji need. */
export function isReadable(text: string): boolean {
  return isVisible(text.replace(JOINERS, ''));
}
