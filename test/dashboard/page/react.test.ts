import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { createElement } from 'react';
import { renderToString } from 'react-dom/server';
import { useAppointments } from '@appointment-emissions/dashboard/react';
import { eventually } from '../../harness/until.ts';
import { openReactWorld, type ReactWorld } from './react-world.ts';

/** Shows one day, in StrictMode. `window.views` has the array of each rendering, and its text at that time. */
const PAGE = `
import { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { useAppointments } from '@appointment-emissions/dashboard/react';

const { url, token } = window.settings;
window.views = [];

function Day() {
  const [day, setDay] = useState(1);
  const { appointments, state, isLoading, edit } = useAppointments({
    url,
    getToken: async () => token,
    from: '2027-03-0' + day + 'T00:00:00Z',
    to: '2027-03-0' + (day + 1) + 'T00:00:00Z',
    socketOptions: { transports: ['websocket'] },
  });
  window.editNotes = (id, notes) =>
    edit(id, { notes }, () => new Promise((resolve, reject) => Object.assign(window, { resolve, reject })));
  window.views.push({ appointments, text: JSON.stringify(appointments) });
  return (
    <main data-state={state} data-loading={String(isLoading)}>
      <button id="next" onClick={() => setDay(day + 1)}>Next</button>
      {appointments.map(({ _id, petId, status, notes }) => (
        <p key={_id} id={'a' + _id}>{petId.name}: {status}, {notes}</p>
      ))}
    </main>
  );
}

function App() {
  const [isOpen, setOpen] = useState(true);
  return (
    <>
      <button id="toggle" onClick={() => setOpen(!isOpen)}>Toggle</button>
      {isOpen && <Day />}
    </>
  );
}
createRoot(document.getElementById('root')).render(<StrictMode><App /></StrictMode>);
`;

let world: ReactWorld;
let opened: Awaited<ReturnType<ReactWorld['open']>>;
beforeAll(async () => {
  world = await openReactWorld(PAGE);
}, 120_000);
afterAll(() => world.world.close());
afterEach(async () => {
  await opened.tab.close();
  expect(opened.complaints).toEqual([]);
});

async function openLive() {
  opened = await world.open();
  await opened.tab.locator('main[data-state="live"][data-loading="false"]').waitFor();
  return opened;
}

test('in StrictMode the hook opens one connection, and shows the list and each event', async () => {
  const { company, api } = world;
  const id = await company.appointment({ start: new Date('2027-03-01T10:00:00Z') });
  const { tab, sockets } = await openLive();
  expect(await tab.locator(`#a${id}`).innerText()).toBe('Rex: scheduled, first visit');
  await company.change(id, { status: 'checked_in' });
  await world.world.emit(api, 'appointment-updated', id);
  await tab.locator(`#a${id}`, { hasText: 'checked_in' }).waitFor();
  expect(sockets).toEqual({ opened: 1, open: 1 });
});

test('a view never changes: each change is another array', async () => {
  const { company, api } = world;
  const id = await company.appointment({ start: new Date('2027-03-01T12:00:00Z') });
  const { tab } = await openLive();
  for (const notes of ['one', 'two']) {
    await company.change(id, { notes });
    await world.world.emit(api, 'appointment-updated', id);
    await tab.locator(`#a${id}`, { hasText: notes }).waitFor();
  }
  const isUnchanged = 'views.every(({ appointments, text }) => JSON.stringify(appointments) === text)';
  expect(await tab.evaluate(isUnchanged)).toBe(true);
  expect(await tab.evaluate('new Set(views.map(({ text }) => text)).size')).toBeGreaterThanOrEqual(3);
});

test('an edit shows at once, stays when it is saved, and is rolled back when it is not', async () => {
  const { company, api } = world;
  const id = await company.appointment({ start: new Date('2027-03-01T13:00:00Z') });
  const { tab } = await openLive();
  const row = (text: string) => tab.locator(`#a${id}`, { hasText: text }).waitFor();
  await tab.evaluate(`void editNotes('${id}', 'saved')`);
  await row('saved');
  await company.change(id, { notes: 'saved', status: 'checked_in' });
  await world.world.emit(api, 'appointment-updated', id);
  await row('checked_in, saved');
  await tab.evaluate('resolve()');
  await tab.evaluate(`void editNotes('${id}', 'not saved').catch(() => undefined)`);
  await row('checked_in, not saved');
  await tab.evaluate('reject(new Error("refused"))');
  await row('checked_in, saved');
});

test('another range is loaded over the same connection, and appointments outside of it are not shown', async () => {
  const { company, api } = world;
  const first = await company.appointment({ start: new Date('2027-03-01T14:00:00Z') });
  const second = await company.appointment({ start: new Date('2027-03-02T14:00:00Z') });
  const { tab, sockets } = await openLive();
  await tab.locator(`#a${first}`).waitFor();
  expect(await tab.locator(`#a${second}`).count()).toBe(0);
  await tab.locator('#next').click();
  await tab.locator(`#a${second}`).waitFor();
  expect(await tab.locator(`#a${first}`).count()).toBe(0);
  await company.change(second, { start: new Date('2027-03-01T15:00:00Z') });
  await world.world.emit(api, 'appointment-updated', second);
  await tab.locator(`#a${second}`).waitFor({ state: 'detached' });
  expect(sockets.opened).toBe(1);
});

test('the connection ends with the component, and a new component opens another', async () => {
  const { tab, sockets } = await openLive();
  await tab.locator('#toggle').click();
  await eventually('the end of the connection', () => sockets.open === 0);
  await tab.locator('#toggle').click();
  await tab.locator('main[data-state="live"]').waitFor();
  expect(sockets).toEqual({ opened: 2, open: 1 });
});

test('a server renders the hook as loading, without a page and without a connection', async () => {
  opened = await world.open();
  let tokens = 0;
  function Day() {
    const { appointments, state, isLoading } = useAppointments({
      url: '/',
      getToken: () => Promise.resolve(String((tokens += 1))),
      from: '2027-03-01T00:00:00Z',
      to: '2027-03-02T00:00:00Z',
    });
    return createElement('p', undefined, `${state} ${isLoading} ${appointments.length}`);
  }
  expect('window' in globalThis).toBe(false);
  expect(renderToString(createElement(Day))).toBe('<p>connecting true 0</p>');
  expect(tokens).toBe(0);
});
