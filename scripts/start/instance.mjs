import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { isFree } from '../process/free-port.mjs';
import { withLock } from '../process/lock.mjs';
import { endRecordedBelow, readLiveRecord, writeRecord } from '../process/record.mjs';
import { StartFailure } from './start-failure.mjs';

/**
 * Makes this process the one npm start of the checkout, and clears up after one that was killed.
 * @param {{ runtimeDir: string, port: number, log: (line: string) => void }} options
 * @returns {Promise<{ release: () => void }>}
 * @throws {StartFailure} when another one runs, or the port is taken
 */
export async function claimInstance({ runtimeDir, port, log }) {
  const ownerFile = join(runtimeDir, 'start.json');
  return withLock(join(runtimeDir, 'locks', 'start.lock'), async () => {
    const running = readLiveRecord(ownerFile);
    if (running) throw new StartFailure(alreadyRuns(running, port));
    for (const folder of ['apps', 'data']) {
      const ended = await endRecordedBelow(join(runtimeDir, folder));
      for (const { name, pid } of ended)
        log(`Leftovers: ended ${name} (process ${pid}) of a start that was killed`);
    }
    await checkPort(port);
    writeRecord(ownerFile, { name: 'npm start', pid: process.pid, port });
    return { release: () => rmSync(ownerFile, { force: true }) };
  });
}

/** @param {{ pid: number, port?: number }} running @param {number} port */
function alreadyRuns(running, port) {
  const where = `npm start runs already in this checkout, on port ${running.port} (process ${running.pid})`;
  return running.port === port
    ? `Port ${port} is in use: ${where}. Stop that one first.`
    : `${where}. Its data can serve one only: stop that one first, or start from another clone.`;
}

/** @param {number} port */
async function checkPort(port) {
  const free = await isFree(port).catch((/** @type {Error} */ error) => {
    throw new StartFailure(`Port ${port} can't be used (${error.message}). Set PORT to another one.`);
  });
  if (!free) {
    throw new StartFailure(
      `Port ${port} is in use by another program. Stop it, or choose another port: PORT=${port + 1} npm start`,
    );
  }
}
