export interface LockedPackage {
  name: string;
  version: string;
  licence: string;
  integrity: string | undefined;
  dev: boolean;
  place: string;
}

export function lockedPackages(): LockedPackage[];
