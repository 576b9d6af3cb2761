import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterEach, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { listen } from '../../src/process/listen.ts';

interface Line {
  level: number;
  msg: string;
  setting: string;
  error: string;
}

const lines: Line[] = [];
const logger = pino({ level: 'info' }, { write: (line) => void lines.push(JSON.parse(line)) });
const server = createServer((_req, res) => res.end('served'));
afterEach(async () => {
  lines.length = 0;
  server.closeAllConnections();
  await once(server.close(), 'close');
});

const options = { port: 0, host: '127.0.0.1', setting: 'PORT', logger };

test('connections that cannot be accepted are logged once, and the server goes on', async () => {
  const port = await listen(server, options);
  const refused = Object.assign(new Error('accept EMFILE'), { code: 'EMFILE', syscall: 'accept' });
  for (let n = 0; n < 3; n += 1) server.emit('error', refused);
  expect(lines).toMatchObject([{ level: 50, msg: 'server error', setting: 'PORT', error: 'accept EMFILE' }]);
  expect(await (await fetch(`http://127.0.0.1:${port}`)).text()).toBe('served');
});

test('a port in use is refused with the setting to change', async () => {
  const port = await listen(server, options);
  await expect(listen(createServer(), { ...options, port })).rejects.toThrow(
    /EADDRINUSE.*: set PORT to a free port$/,
  );
  expect(lines).toEqual([]);
});
