import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { freePort, isPortFree } from '../../scripts/process/free-port.ts';
import { childEnv } from '../harness/child-env.ts';
import { newStartDir, npmStart, type NpmStart } from './start-harness.ts';

const SERVICES = ['data/redis', 'data/mongodb'];
const APPS = ['apps/api', 'apps/worker', 'apps/bot'];

// One instance for all tests, since a start takes seconds: each test continues where the one before it ended.
let port: number;
let dir: string;
let running: NpmStart;

beforeAll(async () => {
  port = await freePort();
  dir = newStartDir();
  running = npmStart({ PORT: String(port) }, dir);
  await running.prints('Everything runs');
});

afterAll(async () => {
  running.process.kill('SIGTERM');
  await running.ends();
});

function pidOf(folder: string): number {
  const record = JSON.parse(readFileSync(join(dir, folder, 'process.json'), 'utf8')) as { pid: number };
  return record.pid;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test('the addresses and the curl command that npm start prints work unchanged', async () => {
  const text = running.output();
  expect(text).toContain(`http://localhost:${port}/admin/queues`);
  const [, key, body] = /x-api-key: (\w+)'[^]*-d '([^']+)'/.exec(text)!;
  const reply = await fetch(`http://localhost:${port}/api/v1/internal/socket/appointment-updated`, {
    method: 'POST',
    headers: { 'x-api-key': key!, 'content-type': 'application/json' },
    body: body!,
  });
  expect(reply.status).toBe(202);
  const page = await fetch(`http://localhost:${port}/`);
  expect(await page.text()).toMatch(/<!doctype html>/i);
});

test('npm run mcp, beside npm start, finds the pets of a customer of the demo company', async () => {
  const client = new Client({ name: 'test', version: '1.0.0' });
  const env = childEnv({ START_DIR: dir }) as Record<string, string>;
  const args = [new URL('../../scripts/run.mjs', import.meta.url).pathname, 'mcp'];
  await client.connect(new StdioClientTransport({ command: process.execPath, args, env, stderr: 'ignore' }));
  try {
    const { structuredContent } = await client.callTool({ name: 'find_free_slots', arguments: {} });
    expect(structuredContent).toMatchObject({ ok: true, pets: [{ name: 'Biscuit' }] });
  } finally {
    await client.close();
  }
});

test('a process that dies is restarted', async () => {
  for (const name of ['worker', 'redis']) {
    process.kill(pidOf(name === 'redis' ? 'data/redis' : 'apps/worker'), 'SIGKILL');
    await running.prints(`${name} was restarted`);
  }
});

test('a second npm start in the same checkout is refused, and the first keeps running', async () => {
  const second = npmStart({ PORT: String(port) }, dir);
  expect(await second.ends()).toBe(1);
  expect(second.output()).toContain(`Port ${port} is in use: npm start is already running in this checkout`);
  expect([...SERVICES, ...APPS].map(pidOf).every(isAlive)).toBe(true);
});

test('a start after SIGKILL ends the processes of the killed one, and keeps data and secrets', async () => {
  const keyLine = /x-api-key: .*/.exec(running.output())![0];
  const left = SERVICES.map(pidOf);
  running.process.kill('SIGKILL');
  await running.ends();

  running = npmStart({ PORT: String(port) }, dir);
  const text = await running.prints('Everything runs');

  expect(text).toContain('ended redis');
  expect(text).toContain('ended mongodb');
  expect(left.some(isAlive)).toBe(false);
  expect(text).toContain(keyLine);
});

test('Ctrl-C ends every process that was started, and the exit code is 0', async () => {
  const pids = [...SERVICES, ...APPS].map(pidOf);
  running.process.kill('SIGINT');
  running.process.kill('SIGINT'); // the second comes from npm, after the one from the terminal
  expect(await running.ends()).toBe(0);
  expect(pids.filter(isAlive)).toEqual([]);
  expect(await isPortFree(port)).toBe(true);
});
