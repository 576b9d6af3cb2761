import { createServer } from 'node:net';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Loaded into a process before its own code, by NODE_OPTIONS: whoever connects to the socket named after the process'
 * id is told its memory, after garbage was collected twice.
 */
const { MEMORY_DIR } = process.env;
if (MEMORY_DIR) {
  setFlagsFromString('--expose-gc');
  const collect = /** @type {() => void} */ (runInNewContext('gc'));
  createServer((asker) => {
    asker.on('error', () => undefined);
    collect();
    collect();
    asker.end(JSON.stringify(process.memoryUsage()));
  })
    .on('error', () => undefined)
    .listen(join(MEMORY_DIR, `${process.pid}.sock`))
    .unref();
}
