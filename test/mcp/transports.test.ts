import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ClientOptions } from '@modelcontextprotocol/client';
import type { RunningApi } from '../../src/api/start-api.ts';
import { createWorld, type World } from '../harness/world.ts';
import type { Company } from '../harness/documents.ts';
import {
  type Called,
  connectHttp,
  connectStdio,
  bookingOf,
  ERAS,
  settingsOf,
  startCommand,
  TOKEN,
} from './mcp-world.ts';

let world: World;
let api: RunningApi;
beforeAll(async () => {
  // Without the sweep, only an announced change reaches a dashboard.
  world = await createWorld({ env: { RECONCILE_INTERVAL_MS: '0' } });
  api = await world.ready(world.api());
  world.worker();
});
afterAll(() => world.close());

type Connect = (company: Company, options: ClientOptions) => ReturnType<typeof connectHttp>;

/** Books in the first free time, moves to the last one, cancels, and checks that a dashboard has received each change. */
async function bookMoveCancel(connect: Connect, options: ClientOptions): Promise<void> {
  const company = await world.documents.company();
  const dashboard = await world.dashboard(api, company.companyId);
  const { client, call } = await connect(company, options);
  const { tools } = await client.listTools();
  expect(tools.map(({ name }) => name)).toEqual([
    'find_free_slots',
    'book_appointment',
    'reschedule_appointment',
    'cancel_appointment',
  ]);
  for (const { outputSchema, inputSchema } of tools) {
    expect(outputSchema).toBeDefined();
    expect(Object.keys(inputSchema.properties ?? {})).not.toContain('customerId');
  }

  const found = await call('find_free_slots', { staffId: String(company.staff._id) });
  const { slots, pets } = found.structured as { slots: { start: string }[]; pets: { name: string }[] };
  expect(pets).toEqual([{ petId: String(company.pet._id), name: 'Rex' }]);
  const [first, last] = [slots[0]!.start, slots.at(-1)!.start];

  const booked = await call('book_appointment', bookingOf(company, first));
  expect(booked).toMatchObject({ isError: false, structured: { ok: true, message: 'Booked.' } });
  const { appointmentId } = (booked.structured as { appointment: { appointmentId: string } }).appointment;
  const moved = await call('reschedule_appointment', { appointmentId, start: last });
  const canceled = await call('cancel_appointment', { appointmentId });
  for (const { isError, text } of [moved, canceled] as Called[]) {
    expect(isError).toBe(false);
    expect(text).toContain(appointmentId);
  }

  const events = ['appointment:created', 'appointment:updated', 'appointment:canceled'];
  for (const event of events)
    await dashboard.receive(
      (received) => received.event === event && received.payload.appointment._id === appointmentId,
      `${event} of ${appointmentId}`,
    );
  const { payload } = dashboard.received.at(-1)!;
  expect(payload.appointment).toMatchObject({ status: 'canceled', source: 'mcp' });
  expect(new Date(payload.appointment.start!).getTime()).toBe(Date.parse(last));
}

describe.each(ERAS)('with the protocol of %s', (_, options) => {
  test('a session on standard input and output books, moves and cancels, and a dashboard shows it', async () => {
    await bookMoveCancel(
      (company, given) => connectStdio(world, settingsOf(world, api, company), given),
      options,
    );
  });

  test('a session over HTTP books, moves and cancels, and a dashboard shows it', async () => {
    await bookMoveCancel(async (company, given) => {
      const http = { MCP_HTTP: '127.0.0.1:0', MCP_TOKEN: TOKEN };
      const { url } = await startCommand(world, settingsOf(world, api, company, http));
      return connectHttp(world, url, given);
    }, options);
  });
});
