import { expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { meta } from '../appointment-fixture.ts';
import { booked, STAFF, usePages } from './page-world.ts';

const E = 'e';
const biscuit = booked('a', 'Biscuit', '09:00-10:00', 'maya');
const rex = booked('b', 'Rex', '10:00-11:30', 'maya');
const coco = booked('c', 'Coco', '09:30-10:00', 'jonas');

const { open, live } = usePages({ listed: [biscuit, rex, coco] });

test('the page shows the day in columns by staff, with the details on each card', async () => {
  const { page, card } = await live();
  const text = await card('a').innerText();
  for (const part of [
    '09:00 – 10:00',
    'Biscuit',
    'dog · Poodle',
    'Full Groom',
    'Alice Moreau',
    'Maya Brandt',
  ]) {
    expect(text).toContain(part);
  }
  expect(await page.locator('#heading').innerText()).toBe('Monday, 23 November 2026');
  expect(await page.locator('#summary').innerText()).toBe('3 appointments');
  expect(await page.locator('.head strong').allInnerTexts()).toEqual(['Jonas Okafor', 'Maya Brandt']);
  const [mayas, jonas] = [await card('a').boundingBox(), await card('c').boundingBox()];
  expect(mayas!.x).toBeGreaterThan(jonas!.x + jonas!.width - 1);
});

test('booked, moved and canceled appointments are updated on the screen and announced', async () => {
  const { page, card, connection } = await live({ context: { reducedMotion: 'reduce' } });
  await page.evaluate(
    'addEventListener("emission-shown", (e) => (window.shown ??= []).push(e.detail.emissionId))',
  );
  const said = page.locator('#announcement');

  connection.send(
    'd',
    { epoch: E, offset: 6, event: 'appointment:created' },
    booked('d', 'Miso', '13:00-14:00', 'jonas'),
  );
  await card('d').waitFor();
  expect(await said.innerText()).toBe('Booked: Miso, Full Groom, Mon 23 Nov, 13:00 with Jonas Okafor');

  const before = await card('a').boundingBox();
  connection.send('a', { epoch: E, offset: 7 }, { ...booked('a', 'Biscuit', '15:00-16:00', 'jonas') });
  await page.locator('[data-appointment-id="a"][data-offset="7"]').waitFor();
  const after = await card('a').boundingBox();
  expect([after!.x < before!.x, after!.y > before!.y]).toEqual([true, true]);

  connection.send(
    'b',
    { epoch: E, offset: 8, event: 'appointment:canceled' },
    { ...rex, status: 'canceled' },
  );
  await page.locator('[data-appointment-id="b"][data-status="canceled"]').waitFor();
  const decoration = `getComputedStyle(document.querySelector('[data-appointment-id="b"] .pet')).textDecorationLine`;
  expect(await page.evaluate(decoration)).toBe('line-through');
  expect(await page.locator('#summary').innerText()).toBe('3 appointments, 1 canceled');

  connection.send(
    'c',
    { epoch: E, offset: 9 },
    { ...coco, start: '2026-11-24T09:30:00.000Z', end: '2026-11-24T10:00:00.000Z' },
  );
  await card('c').waitFor({ state: 'detached' });
  expect(await said.innerText()).toBe('Moved: Coco to Tue 24 Nov, 09:30 with Jonas Okafor');
  await page.locator('#next').click();
  await card('c').waitFor();
  expect(await page.evaluate('window.shown')).toEqual(['e-6-0', 'e-7-0', 'e-8-0', 'e-9-0']);
  expect(await page.evaluate('document.documentElement.dataset.lastEmission')).toBe('e-9-0');
});

test('the page shows the six statuses, and counts those that take no time', async () => {
  const statuses = ['scheduled', 'checked_in', 'in_progress', 'completed', 'canceled', 'no_show'];
  const listed = statuses.map((status, n) => ({
    ...booked(status, 'Biscuit', `${String(9 + n).padStart(2, '0')}:00-${10 + n}:00`, 'maya'),
    status,
  }));
  const { page, card, connection } = await live({ listed });
  const texts = await Promise.all(statuses.map((status) => card(status).locator('.status').innerText()));
  expect(texts).toEqual(['Scheduled', 'Checked in', 'In progress', 'Completed', 'Canceled', 'No show']);
  expect(await page.locator('#summary').innerText()).toBe('4 appointments, 1 canceled, 1 no-show');
  expect(await page.locator('.head').innerText()).toContain('4 booked');
  connection.send('scheduled', { epoch: E, offset: 6 }, { ...listed[0], status: 'checked_in' });
  await card('scheduled').locator('.status', { hasText: 'Checked in' }).waitFor();
  expect(await page.locator('#announcement').innerText()).toContain('Checked in');
});

test('overlapping appointments have a readable width, and "+n more" shows the others', async () => {
  const statuses = ['checked_in', 'in_progress', 'completed', 'canceled', 'no_show'];
  const listed = statuses.map((status) => ({ ...booked(status, 'Biscuit', '09:00-09:15', 'maya'), status }));
  const { page, card } = await live({ listed, context: { viewport: { width: 800, height: 800 } } });
  const more = page.getByRole('button', { name: '+3 more of Maya Brandt' });
  expect(await more.innerText()).toBe('+3 more');
  expect(await page.locator('#cards .card:visible').count()).toBe(2);
  await more.press('Enter');
  expect(await page.evaluate('document.activeElement.dataset.appointmentId')).toBe('in_progress');
  for (const status of statuses) {
    expect((await card(status).boundingBox())!.width).toBeGreaterThan(100);
    expect((await card(status).locator('.pet strong').boundingBox())!.width).toBeGreaterThan(40);
    expect((await card(status).locator('.icon').boundingBox())!.width).toBeGreaterThan(12);
    const [inner, outer] = [
      await card(status).locator('.icon').boundingBox(),
      await card(status).boundingBox(),
    ];
    expect(inner!.x + inner!.width).toBeLessThanOrEqual(outer!.x + outer!.width);
    expect(inner!.y + inner!.height).toBeLessThanOrEqual(outer!.y + outer!.height);
  }
});

test('a deleted appointment is removed and announced, and its details are closed', async () => {
  const { page, card, connection } = await live();
  await card('a').click();
  await page.locator('dialog[open]').waitFor();
  connection.raw(
    'appointment:deleted',
    { appointment: { _id: 'a', companyId: '0'.repeat(24) } },
    meta({ epoch: E, offset: 6, event: 'appointment:deleted' }),
  );
  await card('a').waitFor({ state: 'detached' });
  await page.locator('dialog').waitFor({ state: 'hidden' });
  await page.locator('#announcement', { hasText: 'Deleted: Biscuit' }).waitFor();
  expect(await page.locator('#summary').innerText()).toBe('2 appointments');
});

test('a change and a deletion that are shown together are announced as a deletion', async () => {
  const { page, card, connection } = await live();
  await card('a').click();
  await page.locator('dialog[open]').waitFor();
  // Both are buffered until the event before them arrives.
  connection.send('a', { epoch: E, offset: 7 }, { ...biscuit, notes: 'changed' });
  connection.send('a', { epoch: E, offset: 8, event: 'appointment:deleted' });
  connection.send('b', { epoch: E, offset: 6 }, rex);
  await card('a').waitFor({ state: 'detached' });
  await page.locator('dialog').waitFor({ state: 'hidden' });
  expect(await page.locator('dialog').textContent()).not.toContain('changed');
  expect(await page.locator('#announcement').innerText()).toBe(
    'Deleted: Biscuit, Mon 23 Nov, 09:00 with Maya Brandt (and 1 more)',
  );
  expect(await page.evaluate('document.documentElement.dataset.lastEmission')).toBe('e-8-0');
});

test('the page shows the connection state, and catches up on missed emissions', async () => {
  const { becomes, card, connection, page, server } = await live();
  await page.evaluate(`window.states = new Set();
    const badge = document.getElementById('state');
    const observer = new MutationObserver(() => states.add(badge.dataset.state));
    observer.observe(badge, { attributeFilter: ['data-state'] })`);
  connection.cut();
  const again = await server.connection();
  expect(again.auth.position).toEqual({ epoch: E, offset: 5 });
  await becomes('catching-up');
  again.send('d', { epoch: E, offset: 6, read: 1 }, booked('d', 'Miso', '13:00-14:00', 'jonas'));
  again.sendPosition({ epoch: E, offset: 6 });
  await becomes('live');
  await card('d').waitFor();
  expect(await page.evaluate('[...states]')).toEqual(['connecting', 'catching-up', 'live']);
});

test('while the server cannot read its database, the page shows since when it is not live', async () => {
  const { becomes, page, connection } = await live();
  connection.sendHeartbeat(false);
  await becomes('stale');
  expect(await page.locator('#state').innerText()).toBe('Not live');
  expect(await page.locator('#not-live').innerText()).toMatch(/^Not live since \d\d:\d\d\./);
  const colour = 'getComputedStyle(document.getElementById("day")).backgroundColor';
  const dimmed = await page.evaluate(colour);
  connection.sendHeartbeat(true);
  await becomes('live');
  expect(await page.locator('#state').innerText()).toBe('Live');
  expect(await page.locator('#not-live').isVisible()).toBe(false);
  expect(await page.evaluate(colour)).not.toBe(dimmed);
});

test('the page can be used with the keyboard only', async () => {
  const { page, connection } = await live();
  const focused = () => page.evaluate('document.activeElement.dataset.appointmentId');
  await page.locator('#date').focus();
  while ((await focused()) === undefined) await page.keyboard.press('Tab');
  expect(await focused()).toBe('a');
  await page.keyboard.press('ArrowDown');
  expect(await focused()).toBe('b');
  await page.keyboard.press('ArrowLeft');
  expect(await focused()).toBe('c');
  connection.send('c', { epoch: E, offset: 6 }, { ...coco, staffId: STAFF.maya });
  await page.locator('[data-appointment-id="c"][data-offset="6"]').waitFor();
  expect(await focused()).toBe('c');

  await page.keyboard.press('Enter');
  await page.locator('dialog[open] h2', { hasText: 'Coco' }).waitFor();
  expect(await page.locator('dialog').innerText()).toContain('+1 555 0100');
  await page.keyboard.press('Escape');
  expect(await focused()).toBe('c');

  await page.keyboard.press('n');
  expect(await page.locator('#heading').innerText()).toBe('Tuesday, 24 November 2026');
  await page.keyboard.press('p');
  expect(await page.locator('#heading').innerText()).toBe('Monday, 23 November 2026');
  // The focus stays in the list, so that the arrow keys go on to work.
  await page.keyboard.press('ArrowDown');
  expect(await focused()).toBeDefined();
});

test('the page is a list by time on a phone and fits its width', async () => {
  const { page } = await live({ context: { viewport: { width: 390, height: 844 } } });
  expect(await page.locator('#cards .at').allInnerTexts()).toEqual(['09:00', '09:30', '10:00']);
  expect(await page.locator('#heads').isVisible()).toBe(false);
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
});

test('outside demo mode the page requests a token, and keeps it in the tab', async () => {
  const { page, server, tokens } = await open({ isDemo: false });
  expect(await page.locator('#chat').isVisible()).toBe(false);
  await page.locator('#token').fill('my-token');
  await page.keyboard.press('Enter');
  expect((await server.connection()).auth.token).toBe('my-token');
  await page.locator('#sign-in').waitFor({ state: 'hidden' });
  await page.reload();
  expect((await server.connection()).auth.token).toBe('my-token');
  expect(tokens).toEqual(['Bearer my-token', 'Bearer my-token']);
});

/** Simulates a browser that blocks cookies and site data. */
const BLOCKED = `for (const name of ['localStorage', 'sessionStorage']) {
  Object.defineProperty(window, name, { get() { throw new DOMException('denied', 'SecurityError'); } });
}`;
const FULL = `for (const method of ['getItem', 'setItem']) {
  Storage.prototype[method] = () => { throw new DOMException('full', 'QuotaExceededError'); };
}`;
/** Simulates a sandboxed frame. */
const NO_HISTORY = `history.replaceState = history.pushState = () => { throw new DOMException('denied', 'SecurityError'); };`;

test.each([
  ['blocked', BLOCKED],
  ['full', FULL],
  [
    'absent',
    `for (const name of ['localStorage', 'sessionStorage']) Object.defineProperty(window, name, { value: null });`,
  ],
])('if the storage is %s, the page is live, and time zone and day can be changed', async (_, before) => {
  const { page, card } = await live({ before: before + NO_HISTORY });
  await card('a').waitFor();
  await page.locator('#time-zone').selectOption('Asia/Tokyo');
  await card('a').getByText('18:00 – 19:00').waitFor();
  await page.locator('#next').click();
  expect(await page.locator('#heading').innerText()).toBe('Tuesday, 24 November 2026');
});

test('the page requests a token and connects if the storage is blocked', async () => {
  const { page, server } = await open({ isDemo: false, before: BLOCKED });
  await page.locator('#token').fill('my-token');
  await page.keyboard.press('Enter');
  expect((await server.connection()).auth.token).toBe('my-token');
});

test.each([
  '2027-02-29',
  '2026-04-31',
  '0000-01-01',
  '10000-01-01',
  '275760-09-13',
  '２026-11-23',
  '2026-W48-1',
  ' ',
])('shows today if the date in the address is %j', async (date) => {
  const today = new Date().toISOString().slice(0, 10);
  const { page } = await live({ search: `?tz=UTC&date=${encodeURIComponent(date)}` });
  expect([today, new Date().toISOString().slice(0, 10)]).toContain(await page.locator('#date').inputValue());
});

test.each([
  ['1970-01-01', '1970-01-01T00:00:00.000Z', '1970-01-09T00:00:00.000Z', '#previous'],
  ['9999-12-31', '9999-12-10T00:00:00.000Z', '9999-12-31T23:59:59.999Z', '#next'],
])('can show %s, the last supported day', async (date, from, to, beyond) => {
  const { page, ranges } = await live({ search: `?tz=UTC&date=${date}` });
  expect(ranges).toEqual([{ from, to }]);
  await page.locator('#empty', { hasText: 'No appointments on this day.' }).waitFor();
  await page.locator(beyond).click();
  expect(await page.locator('#date').inputValue()).toBe(date);
});

test('an appointment of several days is shown on each of them, and appointments that began earlier are loaded', async () => {
  const stay = {
    ...booked('stay', 'Nanook', '09:00-10:00', 'maya'),
    start: '2026-11-21T22:00:00.000Z',
    end: '2026-11-23T07:30:00.000Z',
  };
  const { page, card, ranges } = await live({ listed: [stay], context: { reducedMotion: 'reduce' } });
  expect(ranges).toEqual([{ from: '2026-11-02T00:00:00.000Z', to: '2026-12-01T00:00:00.000Z' }]);
  expect(await card('stay').innerText()).toContain('Sat 21 Nov, 22:00 – Mon 23 Nov, 07:30');
  const part = async () => {
    const style = (await page.locator('.slot').getAttribute('style')) ?? '';
    return [/--from: *(\d+)/, /--to: *(\d+)/].map((name) => Number(name.exec(style)?.[1]));
  };
  expect(await part()).toEqual([0, 450]);
  await page.locator('#previous').click();
  expect(await part()).toEqual([0, 1440]);
  await page.locator('#previous').click();
  expect(await part()).toEqual([1320, 1440]);
  await page.locator('#previous').click();
  await card('stay').waitFor({ state: 'detached' });
});

test('a name in any script does not affect the text around it', async () => {
  const hebrew = {
    ...booked('h', 'כלב (1)', '09:00-12:00', 'maya'),
    customerId: { _id: 'hc', fullName: 'אליס 2', email: null, phone: null },
    staffId: { _id: 'maya', fullName: 'Maya\u202e\u2066 Brandt', role: 'מספרת' },
    notes: '\u202eevil',
  };
  const { page, card, connection } = await live({ listed: [hebrew] });
  const text = await card('h').locator('.people').innerText();
  expect(text).toBe('אליס 2 · with Maya Brandt');
  // The parts are in order from left to right: the right-to-left name does not move the words after it.
  const order = `(() => {
    const parts = [...document.querySelector('[data-appointment-id="h"] .people').childNodes].map((node) => {
      const range = document.createRange();
      range.selectNodeContents(node);
      return range.getBoundingClientRect().left;
    });
    return parts.every((left, n) => n === 0 || left >= parts[n - 1]);
  })()`;
  expect(await page.evaluate(order)).toBe(true);
  expect(await page.locator('.head').innerText()).toContain('מספרת · 1 booked');

  connection.send(
    'h',
    { epoch: E, offset: 6, event: 'appointment:canceled' },
    { ...hebrew, status: 'canceled' },
  );
  const said = page.locator('#announcement', { hasText: 'Canceled' });
  expect(await said.innerText()).toBe('Canceled: \u2068כלב (1)\u2069, Mon 23 Nov, 09:00 with Maya Brandt');
  await card('h').click();
  expect(await page.locator('dialog[open] bdi').allInnerTexts()).toEqual(
    expect.arrayContaining(['כלב (1)', 'אליס 2', 'Maya Brandt', 'evil']),
  );
});

test('the arrow keys reach the appointments from anywhere, and the focus moves on when a card is gone', async () => {
  const { page, connection, card } = await live();
  const focused = () => page.evaluate('document.activeElement.dataset.appointmentId');
  await page.locator('#today').focus();
  await page.keyboard.press('ArrowDown');
  expect(await focused()).toBe('a');
  connection.raw(
    'appointment:deleted',
    { appointment: { _id: 'a', companyId: '0'.repeat(24) } },
    meta({ epoch: E, offset: 6, event: 'appointment:deleted' }),
  );
  await card('a').waitFor({ state: 'detached' });
  expect(await focused()).toBe('c');
});

test('the day is in the address, and Back returns to the day before', async () => {
  const { page } = await live();
  const heading = (text: string) => page.locator('#heading', { hasText: text }).waitFor();
  await page.locator('#next').click();
  await page.locator('#next').click();
  await heading('Wednesday, 25 November 2026');
  expect(page.url()).toContain('date=2026-11-25');
  await page.goBack();
  await heading('Tuesday, 24 November 2026');
  await page.goBack();
  await heading('Monday, 23 November 2026');
  await page.goForward();
  await heading('Tuesday, 24 November 2026');
  expect(await page.locator('#date').inputValue()).toBe('2026-11-24');
});

test('a booking out of view is announced with a button that shows it', async () => {
  const { page, card, connection } = await live({ context: { reducedMotion: 'reduce' } });
  const shown = page.getByRole('button', { name: 'Show', exact: true });
  const created = { epoch: E, event: 'appointment:created' } as const;
  connection.send('d', { ...created, offset: 6 }, booked('d', 'Miso', '10:30-11:00', 'jonas'));
  await page.locator('#announcement', { hasText: 'Booked: Miso' }).waitFor();
  expect(await shown.isVisible()).toBe(false);

  connection.send('e', { ...created, offset: 7 }, booked('e', 'Otto', '21:00-22:00', 'jonas'));
  await shown.click();
  expect(await page.evaluate('document.activeElement.dataset.appointmentId')).toBe('e');
  await expectInView(page, 'e');

  const tomorrow = { start: '2026-11-24T21:00:00.000Z', end: '2026-11-24T22:00:00.000Z' };
  connection.send(
    'f',
    { ...created, offset: 8 },
    { ...booked('f', 'Pixel', '09:00-10:00', 'maya'), ...tomorrow },
  );
  await shown.click();
  await card('f').waitFor();
  expect(await page.locator('#heading').innerText()).toBe('Tuesday, 24 November 2026');
  await expectInView(page, 'f');
});

async function expectInView(page: Page, id: string): Promise<void> {
  const [box, view] = await Promise.all([
    page.locator(`[data-appointment-id="${id}"]`).boundingBox(),
    page.locator('#day').boundingBox(),
  ]);
  expect(box!.y).toBeGreaterThan(view!.y);
  expect(box!.y + box!.height).toBeLessThan(view!.y + view!.height);
}

test.each([
  [1280, 800],
  [820, 1180],
  [390, 844],
])('the message covers nothing at a width of %i px', async (width, height) => {
  const { page, connection } = await live({ context: { viewport: { width, height } } });
  connection.send('e', { epoch: E, offset: 6 }, booked('e', 'Otto', '21:00-22:00', 'jonas'));
  await page.locator('#announced[data-shown="true"]').waitFor();
  // On a phone the line is at the end of the page, below everything else.
  await page.evaluate('scrollTo(0, document.documentElement.scrollHeight)');
  const message = (await page.locator('#announced').boundingBox())!;
  for (const selector of ['.top', '#bar', '#day', '#time-zone']) {
    const other = (await page.locator(selector).boundingBox())!;
    const isApart =
      other.y + other.height <= message.y + 1 ||
      other.y >= message.y + message.height - 1 ||
      other.x + other.width <= message.x ||
      other.x >= message.x + message.width;
    expect([selector, isApart]).toEqual([selector, true]);
  }
});

test.each([820, 390])(
  'the chat opens with a button at a width of %i px, and Escape closes it',
  async (width) => {
    const { page } = await live({ hasBot: true, context: { viewport: { width, height: 844 } } });
    const [toggle, chat] = [page.locator('#chat-toggle'), page.locator('#chat')];
    await toggle.waitFor();
    expect(await chat.isVisible()).toBe(false);
    await toggle.click();
    await chat.getByRole('button', { name: 'Send' }).waitFor();
    expect((await chat.boundingBox())!.width).toBe(width === 390 ? 390 : 360);
    expect(await page.evaluate('document.getElementById("day").inert')).toBe(width === 390);
    await page.keyboard.press('Escape');
    await chat.waitFor({ state: 'hidden' });
    expect(await page.evaluate('document.activeElement.id')).toBe('chat-toggle');
    expect(await page.evaluate('document.getElementById("day").inert')).toBe(false);
  },
);

test('a first load without a server shows the reason, and does not look like an empty day', async () => {
  const { page } = await open({ isDown: true });
  await page.locator('#empty', { hasText: 'The server does not respond' }).waitFor();
  expect(await page.locator('.grid').isVisible()).toBe(false);
  expect(await page.locator('#summary').innerText()).toBe('');
});

test('a list that cannot be loaded does not look like an empty day', async () => {
  const { page } = await open({ isListDown: true });
  await page.locator('#empty', { hasText: 'cannot be loaded' }).waitFor();
  expect(await page.locator('.grid').isVisible()).toBe(false);
});

test('the sign-in is a form without a calendar beneath it', async () => {
  const { page } = await open({ isDemo: false });
  await page.getByRole('form', { name: 'Sign in' }).waitFor();
  for (const selector of ['#bar', '.stage', '.foot', '#state']) {
    expect([selector, await page.locator(selector).isVisible()]).toEqual([selector, false]);
  }
  const form = (await page.locator('#sign-in').boundingBox())!;
  expect(Math.abs(form.x + form.width / 2 - 640)).toBeLessThan(2);
});

test('the list of time zones begins with those of the company and of the user', async () => {
  const { page } = await live({ context: { timezoneId: 'America/New_York' } });
  const options = await page.locator('#time-zone option').allInnerTexts();
  expect(options.slice(0, 2)).toEqual(['UTC (company)', 'America/New York (you)']);
  expect(new Set(options).size).toBe(options.length);
});

test('on a phone the list shows the current time, and the day stays in view', async () => {
  const { page } = await live({
    now: new Date('2026-11-23T09:45:00Z'),
    context: { viewport: { width: 390, height: 500 } },
  });
  expect(await page.locator('#cards > li:not(.slot)').allInnerTexts()).toEqual([
    '09:00',
    '09:30',
    'Now, 09:45',
    '10:00',
  ]);
  await page.evaluate('scrollTo(0, 200)');
  expect((await page.locator('#bar').boundingBox())!.y).toBe(0);
  for (const field of ['#previous', '#today', '#date', '#time-zone']) {
    expect((await page.locator(field).boundingBox())!.height).toBeGreaterThanOrEqual(44);
  }
});
