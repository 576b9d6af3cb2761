import { removeTestRunDir } from '../../scripts/process/run-dir.mjs';

export default async function globalTeardown() {
  const shared = globalThis.__sharedServices;
  if (!shared) return;
  // Their data is thrown away in a moment: no need to wait for a shutdown in order.
  for (const service of shared.services) {
    await service?.kill('SIGKILL');
    await service?.stop();
  }
  const leftRunning = await removeTestRunDir(shared.dir);
  if (leftRunning.length > 0) console.warn(`Tests left these running; ended now: ${leftRunning.join(', ')}`);
}
