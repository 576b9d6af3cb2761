import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { execa } from 'execa';
import { Types } from 'mongoose';
import type { Browser } from 'playwright-core';
import { connectDashboard } from '@appointment-emissions/dashboard';
import { launchChromium } from '../harness/chromium.ts';
import { readPage } from '../docs/pages.ts';
import { eventually, until } from '../harness/until.ts';
import { type Example, type ExamplePage, startExample, tomorrowAt } from './example-world.ts';

let browser: Browser;
let example: Example;
let page: ExamplePage;
beforeAll(async () => {
  browser = await launchChromium();
}, 120_000);
afterAll(() => browser.close());
afterEach(async () => {
  await page.close();
  expect(page.problems).toEqual([]);
});

/** Edits, cancels and books as staff. The first booking is aborted, since its time is taken; the second one is not. */
async function editCancelAndBook() {
  const received = await example.listen();
  const { first, customerId, petId, staff } = example.seeded;
  const { start, end } = (await example.appointments.findOne({ _id: new Types.ObjectId(first) }))!;
  await edit(first, { status: 'checked_in' });
  await page.showsStatus(first, 'checked_in');
  const slot = { customerId, petId, staffId: staff[1]!.userId, start, end };
  expect(await example.request('POST', '', slot)).toMatchObject({ status: 409 });
  await example.request('POST', `/${first}/cancel`, { reason: 'ill' });
  await page.showsStatus(first, 'canceled');
  const { status, body } = await example.request('POST', '', slot);
  expect(status).toBe(201);
  const { _id } = (body as { appointment: { _id: string } }).appointment;
  await page.showsStatus(_id, 'scheduled');
  await eventually('all events', () => received.length >= 3);
  expect(received.map(({ event, appointment }) => [event, appointment._id])).toEqual([
    ['appointment:updated', first],
    ['appointment:canceled', first],
    ['appointment:created', _id],
  ]);
}

const edit = (id: string, fields: object) => example.request('PATCH', `/${id}`, fields);

/**
 * Two edits. The first one's event is delayed between its read and its emission, until the second one's has been received.
 * @param reads  reads of the customer that follow an edit: the event's, and those of the reply to the request
 */
async function editTwice(id: string, reads: number) {
  const received = await example.listen();
  const held = example.holdPopulate(reads);
  const first = edit(id, { notes: 'first' });
  await until('the reads after the first edit', held.all);
  const second = await edit(id, { notes: 'second' });
  await eventually('the second event', () =>
    received.some(({ appointment }) => appointment.notes === 'second'),
  );
  held.release();
  return { received, replies: [await first, second].map(({ status }) => status) };
}

/** Changes that the old emission never shows, with the status that the dashboard must show; null: no row. */
const UNSEEN = [
  {
    what: 'an edit while the dashboard has no connection',
    status: 'checked_in',
    change: async (id: string) => {
      example.proxy.refuse();
      await page.isCut();
      await edit(id, { status: 'checked_in' });
      example.proxy.mend();
      await page.isLive();
    },
  },
  {
    what: 'a deletion',
    status: null,
    change: async (id: string) => {
      expect((await example.request('DELETE', `/${id}`)).status).toBe(204);
    },
  },
];

function useExample(...args: Parameters<typeof startExample>): void {
  beforeAll(async () => {
    example = await startExample(...args);
  }, 120_000);
  afterAll(() => example.world.close());
}

describe('before: the application emits by itself', () => {
  useExample('before');

  test('an edit, a cancellation and a booking by staff are shown once each, an aborted booking is not', async () => {
    page = await example.openPage(browser);
    await editCancelAndBook();
  });

  test('a groomer sees only their own appointments', async () => {
    const { first, second } = example.seeded;
    page = await example.openPage(browser, 'Jonas Okafor');
    await page.row(second).waitFor();
    expect(await page.row(first).count()).toBe(0);
    await edit(first, { notes: 'of a colleague' });
    await page.roundTrip();
    expect(await page.latest()).toBe('No change yet');
  });

  test('a booking of the bot is not shown, and the bot gets a success', async () => {
    page = await example.openPage(browser);
    const id = await example.bookByBot(tomorrowAt(15));
    await page.roundTrip();
    expect(await page.row(id).count()).toBe(0);
    await eventually('the line of the bot', async () =>
      (await example.log('message-flow.log')).includes(
        'Successfully emitted appointment:created socket event',
      ),
    );
    await eventually('the only trace of the fault', async () =>
      (await example.log('error.log')).includes('Failed to emit appointment:created'),
    );
  });

  test('the older one of two edits is shown last', async () => {
    page = await example.openPage(browser);
    const { received } = await editTwice(example.seeded.second, 1);
    await eventually('both events', () => received.length === 2);
    expect(received.map(({ appointment }) => appointment.notes)).toEqual(['second', 'first']);
    await page.roundTrip();
    expect(await page.latest()).toContain('first');
  });

  test.each(UNSEEN)('$what is not shown', async ({ change }) => {
    const id = await example.bookByBot(tomorrowAt(16));
    page = await example.openPage(browser);
    await change(id);
    await page.roundTrip();
    expect(await page.statusOf(id)).toBe('scheduled');
  });

  test('SIGTERM ends the process', async () => {
    page = await example.openPage(browser);
    expect(await until('the end of the process', example.terminate())).toBe(0);
  });
});

describe('side by side: both emit, the dashboards are unchanged', () => {
  useExample('side-by-side');

  test('a booking of the bot is shown', async () => {
    page = await example.openPage(browser);
    await page.showsStatus(await example.bookByBot(tomorrowAt(15)), 'scheduled');
  });

  test('the guide’s curl announces an appointment: 202, a line in the log, and an event', async () => {
    page = await example.openPage(browser);
    const received = await example.listen();
    const { second } = example.seeded;
    const [, curl = ''] = /^```sh\n(curl .*?)^```$/ms.exec(readPage('docs/guides/existing-backend.md')) ?? [];
    const command = curl
      .replace('http://localhost:4000', example.url)
      .replace('<id of an appointment>', second);
    const { INTERNAL_SERVICE_API_KEY } = example.world.env;
    const { stdout } = await execa('bash', ['-c', command], { env: { INTERNAL_SERVICE_API_KEY } });
    expect(JSON.parse(stdout)).toMatchObject({ success: true, event: 'appointment:updated' });
    await eventually('the event', () => received.length === 1);
    expect(received).toMatchObject([{ event: 'appointment:updated', appointment: { _id: second } }]);
    const message = `[InternalSocket] Emitted appointment:updated for ${second}`;
    const line = await eventually('the line', async () =>
      (await example.log('combined.log')).split('\n').find((text) => text.includes(message)),
    );
    expect(JSON.parse(line)).toMatchObject({ message, gateways: 1 });
  });

  test('an edit is received twice, and the library ignores the event without meta', async () => {
    page = await example.openPage(browser);
    const dashboard = connectDashboard({
      url: example.url,
      getToken: () => Promise.resolve(example.tokenOf('Rosa Lind')),
    });
    example.world.keep(dashboard, () => {
      dashboard.close();
    });
    const shown: string[] = [];
    dashboard.on('appointment:updated', ({ appointment }) => shown.push(appointment._id));
    await eventually('the library to be live', () => dashboard.state === 'live');
    const received = await example.listen();
    const { second } = example.seeded;
    await edit(second, { status: 'checked_in' });
    await page.showsStatus(second, 'checked_in');
    await eventually('both events', () => received.length === 2 && shown.length === 1);
    expect(received.map(({ hasMeta }) => hasMeta)).toEqual([false, true]);
    expect(shown).toEqual([second]);
    expect(dashboard.ignored).toBe(1);
  });
});

describe('side by side, with EMISSIONS=off', () => {
  useExample('side-by-side', { EMISSIONS: 'off' });

  test('everything is as before: an edit is received once, a booking of the bot never', async () => {
    page = await example.openPage(browser);
    const received = await example.listen();
    const id = await example.bookByBot(tomorrowAt(15));
    const { second } = example.seeded;
    await edit(second, { status: 'checked_in' });
    await page.showsStatus(second, 'checked_in');
    await page.roundTrip();
    expect(received).toMatchObject([{ appointment: { _id: second }, hasMeta: false }]);
    expect(received.map(({ appointment }) => appointment._id)).not.toContain(id);
  });
});

describe('after: the pipeline alone emits', () => {
  useExample('after');

  test('an edit, a cancellation and a booking by staff are shown once each, an aborted booking is not', async () => {
    page = await example.openPage(browser);
    await editCancelAndBook();
  });

  test('a booking of the bot is shown, and logged by the bot’s and by the application’s logger', async () => {
    page = await example.openPage(browser);
    const id = await example.bookByBot(tomorrowAt(15));
    await page.showsStatus(id, 'scheduled');
    await eventually('the line of the bot', async () =>
      (await example.log('message-flow.log')).includes(
        'Successfully emitted appointment:created socket event',
      ),
    );
    await eventually('the line of the application', async () =>
      (await example.log('combined.log')).includes(`[InternalSocket] Emitted appointment:created for ${id}`),
    );
  });

  test('the newer one of two edits is shown last', async () => {
    page = await example.openPage(browser);
    const { received } = await editTwice(example.seeded.second, 2);
    await eventually('both events', () => received.length === 2);
    expect(received.map(({ appointment }) => appointment.notes)).toEqual(['second', 'second']);
    await page.roundTrip();
    expect(await page.latest()).toContain('second');
  });

  test.each(UNSEEN)('$what is shown', async ({ change, status }) => {
    const id = await example.bookByBot(tomorrowAt(16));
    page = await example.openPage(browser);
    await page.showsStatus(id, 'scheduled');
    await change(id);
    if (status === null) await page.row(id).waitFor({ state: 'detached' });
    else await page.showsStatus(id, status);
  });

  test('an edit is shown even if Redis has lost the company’s log while the dashboard had no connection', async () => {
    const id = await example.bookByBot(tomorrowAt(17));
    page = await example.openPage(browser);
    await page.showsStatus(id, 'scheduled');
    example.proxy.refuse();
    await page.isCut();
    const { keys, redis } = example.world;
    await redis.del(keys.position(example.seeded.companyId), keys.log(example.seeded.companyId));
    await edit(id, { status: 'checked_in' });
    example.proxy.mend();
    await page.showsStatus(id, 'checked_in');
    await page.isLive();
  });

  test('SIGTERM ends the process, also if a browser has opened a connection in advance', async () => {
    page = await example.openPage(browser);
    const unused = connect(Number(new URL(example.url).port));
    await once(unused, 'connect');
    expect(await until('the end of the process', example.terminate())).toBe(0);
  });
});
