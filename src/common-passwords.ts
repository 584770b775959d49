import { dictionary } from '@zxcvbn-ts/language-common';

/** How many are refused (ASVS 6.2.4). */
const COUNT = 3000;

/** The commonest of those that would pass the other rules with one letter made a capital, in lower case. */
const common = new Set(
  dictionary['passwords-common']
    .filter((word) => typeof word === 'string' && /^(?=.*[a-z])(?=.*[0-9]).{8,}$/.test(word))
    .slice(0, COUNT),
);

/** True for a password that attackers try first, in any letter case. */
export function isCommonPassword(password: string): boolean {
  return common.has(password.toLowerCase());
}
