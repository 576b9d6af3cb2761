import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { isPortFree } from '../process/free-port.ts';
import { withLock } from '../process/lock.mjs';
import { endRecordedBelow, type ProcessRecord, readLiveRecord, writeRecord } from '../process/record.ts';

/**
 * Makes this process the only npm start of the folder, and ends what a killed one has left running.
 * @returns `release`, to be called at the end
 * @throws with a message for the user if another npm start runs, or the port is in use
 */
export async function claimInstance({
  runtimeDir,
  port,
  log,
}: {
  runtimeDir: string;
  port: number;
  log: (line: string) => void;
}): Promise<{ release: () => void }> {
  const ownerFile = join(runtimeDir, 'start.json');
  return withLock(join(runtimeDir, 'locks', 'start.lock'), async () => {
    const running = readLiveRecord(ownerFile);
    if (running) throw new Error(alreadyRuns(running, port));
    for (const folder of ['apps', 'data']) {
      for (const { name, pid } of await endRecordedBelow(join(runtimeDir, folder)))
        log(`Cleanup: ended ${name} (process ${pid}), left running by a start that was killed`);
    }
    await checkPort(port);
    writeRecord(ownerFile, { name: 'npm start', pid: process.pid, port });
    return {
      release: () => {
        rmSync(ownerFile, { force: true });
      },
    };
  });
}

function alreadyRuns(running: ProcessRecord, port: number): string {
  const other = `npm start is already running in this checkout, on port ${running.port} (process ${running.pid})`;
  return running.port === port
    ? `Port ${port} is in use: ${other}. Stop it first.`
    : `${other}. Two cannot share its data: stop it first, or start from another clone.`;
}

async function checkPort(port: number): Promise<void> {
  const isFree = await isPortFree(port).catch((error: unknown) => {
    throw new Error(`Port ${port} cannot be used (${(error as Error).message}). Set PORT to another one.`);
  });
  if (!isFree) {
    throw new Error(
      `Port ${port} is in use by another program. Stop it, or choose another port: PORT=${port + 1} npm start`,
    );
  }
}
