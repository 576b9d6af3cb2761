import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { startStdioServer } from '@appointment-emissions/mcp';
import { Types } from 'mongoose';
import type { RunningApi } from '../../src/api/start-api.ts';
import { freshDir } from '../harness/own-services.ts';
import { eventually, until } from '../harness/until.ts';
import { createWorld, type World } from '../harness/world.ts';
import { bookingOf, ROOT, settingsOf, startCommand, startTools } from './mcp-world.ts';

let world: World;
let api: RunningApi;
beforeAll(async () => {
  world = await createWorld({ env: { RECONCILE_INTERVAL_MS: '0' } });
  api = await world.ready(world.api());
  world.worker();
});
afterAll(() => world.close());

const message = (id: number, method: string, params: object) =>
  `${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`;
const INITIALIZE = message(1, 'initialize', {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'test', version: '1.0.0' },
});
const callOf = (id: number, name: string, args: object) =>
  message(id, 'tools/call', { name, arguments: args });

/** A calendar module that prints to standard output, as a careless one does. */
function printingCalendar(): string {
  const dir = freshDir('calendar');
  mkdirSync(dir, { recursive: true });
  const file = join(dir, 'calendar.mjs');
  writeFileSync(
    file,
    `import openCalendar from ${JSON.stringify(join(ROOT, 'demo/mcp-calendar.ts'))};
     console.log('loading');
     export default async (context) => {
       process.stdout.write('opening\\n');
       return openCalendar(context);
     };`,
  );
  return file;
}

test('standard output has nothing but the protocol, even if the calendar prints', async () => {
  const company = await world.documents.company();
  const env = settingsOf(world, api, company, { MCP_CALENDAR: printingCalendar() });
  const { child, stdout, stderr, exited } = await startCommand(world, env);
  child.stdin.write(INITIALIZE + 'no JSON\n' + callOf(2, 'find_free_slots', {}));
  await eventually('the second reply', () => stdout().split('\n').length > 2, 60_000);
  child.stdin.end();
  expect(await until('the end', exited)).toEqual([0, null]);
  const lines = stdout().trimEnd().split('\n');
  expect(lines.map((line) => (JSON.parse(line) as { id: number }).id)).toEqual([1, 2]);
  expect(stderr()).toContain('loading\n');
  expect(stderr()).toContain('opening\n');
});

test('a booking that runs when the client closes standard input is saved, announced and answered', async () => {
  const company = await world.documents.company();
  const dashboard = await world.dashboard(api, company.companyId);
  const { child, stdout, exited } = await startCommand(world, settingsOf(world, api, company));
  // As `printf … | appointment-emissions-mcp` does.
  child.stdin.end(
    INITIALIZE + callOf(2, 'book_appointment', bookingOf(company, '2031-05-14T10:30:00+02:00')),
  );
  expect(await until('the end', exited, 60_000)).toEqual([0, null]);
  const replies = stdout().trimEnd().split('\n');
  expect(replies.map((line) => (JSON.parse(line) as { id: number }).id)).toEqual([1, 2]);
  expect(replies[1]).toContain('Booked.');
  const { payload } = await dashboard.receive(({ event }) => event === 'appointment:created');
  expect(payload.appointment).toMatchObject({ start: '2031-05-14T08:30:00.000Z', source: 'mcp' });
});

test('at the end of standard input a canceled call and a subscription are not awaited', async () => {
  const { tools } = await startTools(world, { calendar: { choices: () => new Promise(() => undefined) } });
  const [stdin, stdout] = [new PassThrough(), new PassThrough()];
  const server = startStdioServer({ tools, stdin, stdout, onError: () => undefined });
  const canceled = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 2 } };
  stdin.end(INITIALIZE + callOf(2, 'find_free_slots', {}) + `${JSON.stringify(canceled)}\n`);
  await until('the end', server.ended, 5_000);
});

test('SIGTERM ends the command', async () => {
  const company = await world.documents.company();
  const { child, stdout, exited } = await startCommand(world, settingsOf(world, api, company));
  child.stdin.write(INITIALIZE);
  await eventually('a reply', () => stdout() !== '', 60_000);
  child.kill('SIGTERM');
  expect(await until('the end', exited)).toEqual([0, null]);
});

test.each([
  ['a message that never ends', (stdin: PassThrough) => void stdin.write('x'.repeat(2_000_000))],
  ['the end of standard input', (stdin: PassThrough) => void stdin.end()],
])('%s ends the connection', async (_, end) => {
  const { tools } = await startTools(world);
  const [stdin, stdout] = [new PassThrough(), new PassThrough()];
  const server = startStdioServer({ tools, stdin, stdout, onError: () => undefined });
  stdin.write(INITIALIZE);
  await once(stdout, 'data');
  end(stdin);
  await until('the end', server.ended);
});

test('a calendar that cannot be loaded ends the command with the reason', async () => {
  const company = await world.documents.company();
  const env = settingsOf(world, api, company, { MCP_CALENDAR: './absent.js' });
  const { stdout, stderr, exited } = await startCommand(world, env);
  expect(await until('the end', exited, 60_000)).toEqual([1, null]);
  expect(stderr()).toContain('absent.js');
  expect(stdout()).toBe('');
});

test('while the API is unavailable a booking is saved, and the result does not mention it', async () => {
  const company = await world.documents.company();
  const env = settingsOf(world, { url: 'http://127.0.0.1:1' }, company);
  const { child, stdout, stderr, exited } = await startCommand(world, env);
  child.stdin.write(
    INITIALIZE + callOf(2, 'book_appointment', bookingOf(company, '2031-05-14T10:30:00+02:00')),
  );
  await eventually('the second reply', () => stdout().split('\n').length > 2, 60_000);
  const { result } = JSON.parse(stdout().trimEnd().split('\n')[1]!) as {
    result: { structuredContent: object };
  };
  expect(result.structuredContent).toMatchObject({ ok: true, message: 'Booked.' });
  const { collection } = world.documents.models.Appointment;
  expect(await collection.countDocuments({ companyId: new Types.ObjectId(company.companyId) })).toBe(1);
  child.stdin.end();
  expect(await until('the end', exited)).toEqual([0, null]);
  expect(stderr()).toContain('Failed to emit socket event');
});
