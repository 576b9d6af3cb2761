import { existsSync, statSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { freePort } from '../../scripts/process/free-port.ts';
import { npmStart } from './start-harness.ts';

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function listen(onConnection: (reply: (bytes: string) => void) => void): Promise<number> {
  const server = createServer((socket) => {
    onConnection((bytes) => socket.write(bytes));
    socket.resume().on('error', () => undefined);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** Runs npm start, which must refuse this environment, and resolves to its message. */
async function refusal(env: Record<string, string>): Promise<string> {
  const start = npmStart({ PORT: String(await freePort()), ...env });
  expect(await start.ends()).toBe(1);
  // No server was started.
  expect(existsSync(join(start.dir, 'data'))).toBe(false);
  return start.output();
}

test('a port in use is refused before anything is started', async () => {
  const server = createServer();
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const { port } = server.address() as AddressInfo;
  expect(await refusal({ PORT: String(port) })).toContain(`Port ${port} is in use`);
});

test('a PORT that is not a number is refused', async () => {
  expect(await refusal({ PORT: 'http' })).toContain('PORT is "http"');
});

test('a START_DIR that cannot be made is refused', async () => {
  expect(await refusal({ START_DIR: '/proc/nowhere/else' })).toContain('set START_DIR to another one');
});

test('a malformed REDIS_URL is refused', async () => {
  expect(await refusal({ REDIS_URL: 'localhost:6379' })).toContain('REDIS_URL is malformed');
});

test('a REDIS_URL without a listening server is refused', async () => {
  const port = await freePort();
  const message = await refusal({ REDIS_URL: `redis://127.0.0.1:${port}` });
  expect(message).toContain(
    `No Redis answers at REDIS_URL: 127.0.0.1:${port} cannot be reached (ECONNREFUSED)`,
  );
});

test('a REDIS_URL with a wrong password is refused, and the message does not contain it', async () => {
  const port = await listen((reply) => {
    reply('-WRONGPASS invalid username-password pair or user is disabled.\r\n');
  });
  const message = await refusal({ REDIS_URL: `redis://user:not-this-one@127.0.0.1:${port}` });
  expect(message).toContain('refuses the user or password');
  expect(message).not.toContain('not-this-one');
});

test('a malformed MONGODB_URI is refused', async () => {
  expect(await refusal({ MONGODB_URI: 'localhost:27017' })).toContain('MONGODB_URI is malformed');
});

test('a MONGODB_URI without a listening server is refused', async () => {
  const message = await refusal({ MONGODB_URI: `mongodb://127.0.0.1:${await freePort()}/petbuddy` });
  expect(message).toContain('No MongoDB answers at MONGODB_URI');
});

test('an unknown RUNTIME_REDIS is refused, and the message lists the valid values', async () => {
  const start = npmStart({ PORT: String(await freePort()), RUNTIME_REDIS: 'docker' });
  expect(await start.ends()).toBe(1);
  expect(start.output()).toContain('RUNTIME_REDIS=docker: it must be one of path, wheel');
});

test('only their owner can read the generated secrets', async () => {
  const start = npmStart({ PORT: String(await freePort()), RUNTIME_REDIS: 'none-such' });
  await start.ends();
  expect(statSync(join(start.dir, 'secrets.json')).mode & 0o777).toBe(0o600);
});
