/** Runs `task` while no other process of this machine runs one under the same lock file. */
export function withLock<T>(
  path: string,
  task: () => T | Promise<T>,
  options?: { onWait?: (holderPid: number) => void },
): Promise<T>;
