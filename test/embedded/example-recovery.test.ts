import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Types } from 'mongoose';
import type { Browser } from 'playwright-core';
import { launchChromium } from '../harness/chromium.ts';
import { eventually, until } from '../harness/until.ts';
import { type Example, type ExamplePage, startExample, tomorrowAt } from './example-world.ts';

/** The lock of a killed process on its job ends after 15 s. */
const RECOVERED_WITHIN_MS = 40_000;

let browser: Browser;
let example: Example;
beforeAll(async () => {
  browser = await launchChromium();
}, 120_000);
afterAll(() => browser.close());

/** Opens the page with an appointment that the bot has booked. */
async function openWithBooking() {
  const id = await example.bookByBot(tomorrowAt(15));
  return { id, page: await example.openPage(browser) };
}

/** An edit, after whose commit the application is killed before it has emitted. The application is started again. */
async function editAndKill(id: string, page: ExamplePage): Promise<void> {
  const held = example.holdPopulate(1);
  const edited = example.request('PATCH', `/${id}`, { status: 'in_progress' }).catch(() => undefined);
  await until('the read after the edit', held.all);
  await example.kill();
  held.release();
  await edited;
  await page.isCut();
  await example.restart();
  await page.isLive();
}

/** A script changes an appointment, and calls nothing. */
async function editByScript(id: string): Promise<void> {
  const $set = { status: 'completed', updatedAt: new Date() };
  await example.appointments.updateOne({ _id: new Types.ObjectId(id) }, { $set });
}

describe('before', () => {
  beforeAll(async () => {
    example = await startExample('before');
  }, 120_000);
  afterAll(() => example.world.close());

  test('an edit is not shown if the process is killed before it has emitted', async () => {
    const { id, page } = await openWithBooking();
    await editAndKill(id, page);
    await page.roundTrip();
    expect(await page.statusOf(id)).toBe('scheduled');
  });

  test('a change by a script, which calls nothing, is not shown', async () => {
    const { id, page } = await openWithBooking();
    await editByScript(id);
    await page.roundTrip();
    expect(await page.statusOf(id)).toBe('scheduled');
  });
});

describe('after', () => {
  beforeAll(async () => {
    example = await startExample('after', { RECONCILE_INTERVAL_MS: '200' });
  }, 120_000);
  afterAll(() => example.world.close());

  test(
    'an edit is shown although the process was killed before it had emitted',
    async () => {
      const { id, page } = await openWithBooking();
      await page.showsStatus(id, 'scheduled');
      await editAndKill(id, page);
      await page.showsStatus(id, 'in_progress', RECOVERED_WITHIN_MS);
    },
    RECOVERED_WITHIN_MS + 60_000,
  );

  test('a change by a script, which calls nothing, is shown', async () => {
    const { id, page } = await openWithBooking();
    const received = await example.listen();
    await editByScript(id);
    // Any event makes the page load its list again.
    await eventually('the event of the sweep', () =>
      received.some(({ appointment: { _id, status } }) => _id === id && status === 'completed'),
    );
    await page.showsStatus(id, 'completed');
  });
});
