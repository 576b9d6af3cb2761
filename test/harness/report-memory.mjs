import { createServer } from 'node:net';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Preloaded into a process by NODE_OPTIONS. Listens on a socket named after the process id: a client that connects
 * receives the process's memory as JSON, after two garbage collections, and the number of its timers, sockets and listeners.
 */
const handles = () =>
  process
    .eventNames()
    .reduce((sum, name) => sum + process.listenerCount(name), process.getActiveResourcesInfo().length);

const { MEMORY_DIR } = process.env;
if (MEMORY_DIR) {
  setFlagsFromString('--expose-gc');
  const collect = /** @type {() => void} */ (runInNewContext('gc'));
  createServer((client) => {
    client.on('error', () => undefined);
    collect();
    collect();
    client.end(JSON.stringify({ ...process.memoryUsage(), handles: handles() }));
  })
    .on('error', () => undefined)
    .listen(join(MEMORY_DIR, `${process.pid}.sock`))
    .unref();
}
