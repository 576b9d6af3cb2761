/** What we read of an entry of package-lock.json. */
export interface LockEntry {
  version: string;
  license?: string;
  integrity?: string;
  dev?: boolean;
  devOptional?: boolean;
  optional?: boolean;
  /** True for a link to one of our own packages. */
  link?: boolean;
  hasInstallScript?: boolean;
  os?: string[];
}

export interface Lock {
  packages: Record<string, LockEntry>;
}

/** Packages that an installation for production may hold, with their licences, by name. */
export function productionLicences(lock: Lock): { name: string; version: string; licence: string }[];

/** docs/reference/licences.md, not formatted yet. */
export function renderLicences(lock: Lock): string;
