import type { LockedPackage } from './lock.mjs';

export function isAllowed(licence: string, dev: boolean): boolean;
export function refusedLicences(packages?: LockedPackage[]): string[];
export function licencesPage(): Promise<string>;
