/** Compiles the packages under `packages/` into their `dist` folders. */
export function buildPackages(options: { log: (line: string) => void }): Promise<void>;
