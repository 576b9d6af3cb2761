import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { build } from 'esbuild';
import express from 'express';
import mongoose, { Types } from 'mongoose';
import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import type { Browser, Page, Route } from 'playwright-core';
import { launchChromium } from '../harness/chromium.ts';
import { DEMO_COMPANY } from '../../demo/catalogue.ts';
import { createDemoRouter } from '../../demo/demo-routes.ts';
import { seedDemo } from '../../demo/seed-demo.ts';
import { startDemoBot } from '../../demo/start-demo-bot.ts';
import { eventually } from '../harness/until.ts';
import { closeAfterEach, later, startBackend, startBot, temporaryDirectory } from './bot-world.ts';
import { SOURCE_CONDITION } from '../../scripts/source-args.mjs';

closeAfterEach();

const PAGE_FOLDER = fileURLToPath(new URL('../../web/calendar/', import.meta.url));
const HTML = `<!doctype html><title>Chat</title><link rel="stylesheet" href="/page.css"><aside id="chat" class="chat" hidden></aside>
  <script type="module" src="/page.js"></script>`;

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

async function bundle(entry: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: entry, resolveDir: PAGE_FOLDER, loader: 'ts' },
    bundle: true,
    format: 'esm',
    conditions: [SOURCE_CONDITION],
    write: false,
    absWorkingDir: PAGE_FOLDER,
  });
  return outputFiles[0]!.text;
}

/** A page with only the chat panel, on a server with the demo routes, with a bot and seeded data. */
async function openPanel(timeZone = 'Europe/Berlin') {
  const mongodbUri = `${process.env.TEST_MONGODB_URI}/demo_${randomUUID().slice(0, 8)}`;
  await seedDemo(mongodbUri, 'UTC', new Date());
  const connection = await mongoose.createConnection(mongodbUri).asPromise();
  later(async () => {
    await connection.dropDatabase();
    await connection.close();
  });

  const app = express();
  const server: Server = createServer(app);
  const stopServer = async (): Promise<void> => {
    server.closeAllConnections();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  later(stopServer);
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const backend = await startBackend();
  const bot = await startDemoBot({
    mongodbUri,
    port: 0,
    pageOrigins: [origin],
    timeZone,
    logDir: await temporaryDirectory(),
    realtime: startBot({ backendUrl: backend.url }),
    logger: pino({ level: 'silent' }),
  });
  later(() => bot.close());
  const script = await bundle(
    `import { startChat } from './chat/start-chat.ts'; await startChat(document.getElementById('chat')!);`,
  );
  app.use('/demo', createDemoRouter({ jwtSecret: 'x'.repeat(32), timeZone: 'UTC', botUrl: bot.url }));
  app.get('/', (_req, res) => void res.type('html').send(HTML));
  app.get('/page.js', (_req, res) => void res.type('js').send(script));

  const page = await browser.newPage();
  later(() => page.close());
  page.setDefaultTimeout(15_000);
  await page.goto(origin);
  await page.getByRole('button', { name: 'Send' }).waitFor();
  const appointments = connection.collection('appointments');
  return { page, appointments, backend, bot, stopServer };
}

/** Fills in and sends the form for a booking, and returns the reply. */
async function book(page: Page, day: string, time = '10:00'): Promise<string> {
  await page.getByRole('radio', { name: 'Book' }).check();
  await page.getByLabel('Day').fill(day);
  await page.getByLabel('Time').fill(time);
  return send(page);
}

async function send(page: Page): Promise<string> {
  const said = page.getByRole('log').getByRole('listitem');
  const before = await said.count();
  await page.getByRole('button', { name: 'Send' }).click();
  const answer = said.nth(before + 1);
  await answer.waitFor();
  await page.locator('.send[aria-disabled="false"]').waitFor();
  return (await answer.textContent()) ?? '';
}

const day = new Date(Date.now() + 20 * 86_400_000).toISOString().slice(0, 10);

test('the chat books, refuses an overlap, moves and cancels, in the time zone of the company', async () => {
  const { page, appointments, backend } = await openPanel();
  expect(await book(page, day)).toMatch(
    /^Done! Biscuit has an appointment with Jonas Okafor: Bath & Brush, .*10:00/,
  );
  const company = { companyId: new Types.ObjectId(DEMO_COMPANY.id) };
  const [row] = await appointments.find(company).sort({ createdAt: -1 }).limit(1).toArray();
  const berlin = new Intl.DateTimeFormat('en-GB', {
    timeZone: 'Europe/Berlin',
    dateStyle: 'short',
    timeStyle: 'short',
  });
  expect(berlin.format(row!.start as Date)).toContain('10:00');
  expect(row).toMatchObject({ source: 'instagram', status: 'scheduled', serviceItemId: expect.anything() });
  expect(await book(page, day, '10:30')).toContain('Sorry, Jonas Okafor has no time then.');

  await page.getByRole('radio', { name: 'Move' }).check();
  await page.getByLabel('Appointment').selectOption(String(row!._id));
  await page.getByLabel('Time').fill('15:00');
  expect(await send(page)).toMatch(
    /^Done! The appointment of Biscuit with Jonas Okafor is now on .*(15:00|3:00)/,
  );
  await page.getByRole('radio', { name: 'Cancel' }).check();
  expect(await send(page)).toContain('The appointment of Biscuit with Jonas Okafor is canceled.');
  expect(await appointments.findOne({ _id: row!._id })).toMatchObject({ status: 'canceled' });
  expect(backend.received.map(({ path }) => path?.split('/').at(-1))).toEqual([
    'appointment-created',
    'appointment-updated',
    'appointment-canceled',
  ]);
});

test('the first booking with the proposed values succeeds, and so does the next one', async () => {
  const { page, appointments } = await openPanel();
  const before = await appointments.countDocuments();
  const first = await proposalOf(page);
  expect(await send(page)).toContain('Done!');
  await eventually('another proposal', async () => (await proposalOf(page)) !== first);
  expect(await send(page)).toContain('Done!');
  expect(await appointments.countDocuments()).toBe(before + 2);
});

/** Day and time in the form. */
async function proposalOf(page: Page): Promise<string> {
  const [date, time] = [page.getByLabel('Day'), page.getByLabel('Time')];
  return `${await date.inputValue()} ${await time.inputValue()}`;
}

test('a refusal has a reason, and a button that books the next free time', async () => {
  const { page, appointments } = await openPanel();
  expect(await book(page, day)).toContain('Done!');
  expect(await book(page, day)).toContain('Jonas Okafor has no time then.');
  await page.getByRole('button', { name: /^Take .*11:00/ }).click();
  await page
    .getByRole('log')
    .getByText(/Done! .*11:00/)
    .waitFor();

  await page.getByRole('combobox', { name: 'With' }).selectOption({ label: 'Lena Castillo' });
  expect(await book(page, day)).toContain('Biscuit has another appointment at that time.');
  await page.getByRole('button', { name: /^Take .*12:00/ }).waitFor();
  const before = await appointments.countDocuments();
  expect(await book(page, day, '03:00')).toContain('we are open from 9:00');
  expect(await appointments.countDocuments()).toBe(before);
});

test('the raw result of a tool call is folded away', async () => {
  const { page } = await openPanel();
  await book(page, day);
  const raw = page.getByRole('log').getByText('→ Booked.');
  expect(await raw.isVisible()).toBe(false);
  await page.getByText('book_appointment,').click();
  expect(await raw.isVisible()).toBe(true);
});

test('the chat accepts a booking before the appointments have loaded', async () => {
  const { page } = await openPanel();
  const held: Route[] = [];
  const asked = page.waitForRequest('**/demo/chat/appointments');
  await page.route('**/demo/chat/appointments', (route) => void held.push(route));
  await page.reload();
  await asked;
  await page.getByRole('button', { name: 'Send' }).click();
  const answer = page.getByRole('log').getByRole('listitem').nth(1);
  await answer.waitFor();
  expect(await answer.textContent()).toContain('book_appointment');
  await Promise.all(held.map((route) => route.continue()));
});

test('the chat reaches the bot directly if the API is unreachable', async () => {
  const { page, stopServer } = await openPanel();
  await stopServer();
  const answer = await book(page, day);
  expect(answer).toContain('Booked.');
  expect(answer).toContain('the API is unreachable');
});

test('the chat reports that the bot is not responding', async () => {
  const { page, bot } = await openPanel();
  await bot.close();
  expect(await book(page, day)).toContain('The bot is not responding');
});

test.each([
  ['Europe/Berlin', '2027-03-28', '09:00', '2027-03-28T07:00:00.000Z'],
  ['Europe/Berlin', '2027-10-31', '09:00', '2027-10-31T08:00:00.000Z'],
  ['America/Santiago', '2027-09-05', '09:00', '2027-09-05T12:00:00.000Z'],
])('books in %s on the day of a clock change: %s %s', async (zone, date, time, start) => {
  const { page, appointments } = await openPanel(zone);
  expect(await book(page, date, time)).toContain('Booked.');
  expect(await appointments.countDocuments({ start: new Date(start) })).toBe(1);
});

test.each([
  ['Europe/Berlin', '2027-03-28', '02:30'],
  ['America/Santiago', '2027-09-05', '00:30'],
])('refuses a time that the clocks of %s skip: %s %s', async (zone, date, time) => {
  const { page, appointments, backend } = await openPanel(zone);
  const before = await appointments.countDocuments();
  expect(await book(page, date, time)).toContain(`the clocks of ${zone} skip`);
  expect(await appointments.countDocuments()).toBe(before);
  expect(backend.received).toEqual([]);
});
