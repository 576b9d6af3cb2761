import { connectDashboard, fetchAppointments } from '/realtime.js';

const DAY_MS = 24 * 3_600_000;
const from = new Date(new Date().setHours(0, 0, 0, 0));
const to = new Date(from.getTime() + 7 * DAY_MS);
const { url } = await (await fetch('/settings.json')).json();

const dashboard = connectDashboard({
  url,
  getToken: async () => {
    const reply = await fetch('/token', { method: 'POST' });
    if (!reply.ok) throw new Error('the server of this page got no token; its console says why');
    return (await reply.json()).token;
  },
  loadSnapshot: (token) => fetchAppointments({ url, token, from, to }),
});

// `dashboard.appointments` has the newest snapshots, in order, whatever the network did. So each event only draws them.
for (const event of ['created', 'updated', 'canceled', 'deleted']) dashboard.on(`appointment:${event}`, draw);
dashboard.on('appointments', draw);

dashboard.on('state', (state, _reason, notLiveSince) => {
  const since = notLiveSince ? `Not live since ${notLiveSince.toLocaleTimeString()}` : 'Connecting…';
  element('state').textContent = state === 'live' ? 'Live' : since;
  if (state === 'live') element('problem').textContent = '';
});
dashboard.on('problem', (error) => {
  element('problem').textContent =
    `${error.message}. It will be tried again. If the API runs at ${url}, its CORS_ORIGIN must contain ${location.origin}.`;
});

function draw() {
  const rows = [...dashboard.appointments.values()].map(({ appointment }) => appointment);
  const shown = rows.filter(({ start }) => new Date(start) >= from && new Date(start) < to);
  shown.sort((one, other) => one.start.localeCompare(other.start));
  element('appointments').replaceChildren(...shown.map(toItem));
}

/** Text is set as text, so that a customer's name cannot contain HTML. */
function toItem({ _id, start, status, petId, customerId }) {
  const item = document.createElement('li');
  item.id = `a${_id}`;
  item.dataset.status = status;
  item.textContent = [
    new Date(start).toLocaleString(),
    petId?.name ?? 'no pet',
    customerId?.fullName ?? 'no customer',
    status,
  ].join(' · ');
  return item;
}

function element(id) {
  return document.getElementById(id);
}
