import {
  APPOINTMENT_EVENTS,
  type AppointmentSnapshot,
  type EmissionMeta,
  type Id,
  isolate,
} from '@appointment-emissions/contracts';
import { connectDashboard, fetchAppointments } from '@appointment-emissions/dashboard';
import { BASE_PATH } from '../shared/base-path.ts';
import { createCalendar } from './calendar.ts';
import { startChat } from './chat.ts';
import { showConnection } from './connection-badge.ts';
import { createDayChoice } from './day-choice.ts';
import { createDetails } from './details.ts';
import { byId, setParts, setText, userText } from '../shared/elements.ts';
import { listenToKeys } from './keyboard.ts';
import { openSession } from './session.ts';
import { chooseTimeZone, fillTimeZones } from './settings.ts';
import { summaryOf } from './status.ts';
import { longDate, sentence, timeOfDay } from './wording.ts';

const RETRY_MS = 3_000;
const ANNOUNCEMENT_VISIBLE_MS = 7_000;

const session = await openSession();
const company = session.demo?.companyName ?? 'Appointments';
setParts(byId('company', HTMLSpanElement), userText(company));

const announce = createAnnouncer();
const calendar = createCalendar();
const details = createDetails();
const day = createDayChoice({
  timeZone: chooseTimeZone(session.demo?.timeZone),
  onDay,
  onRange: () => void loadRange(),
});
if (session.demo) void startChat(byId('chat', HTMLElement), () => day.timeZone);
const api = { url: location.origin, basePath: BASE_PATH };
const dashboard = connectDashboard({
  ...api,
  getToken: session.getToken,
  loadSnapshot: async (token) => {
    const range = day.range;
    const list = await fetchAppointments({ ...api, token, ...range });
    day.loaded(range);
    return list;
  },
});

const pendingEvents: { id: Id; meta: EmissionMeta }[] = [];
/** The appointments of the last rendering. The announcement of an event compares with them. */
let lastRendered = new Map<string, AppointmentSnapshot>();

function render(): void {
  const { date, timeZone, isLoaded } = day;
  const rows = dashboard.appointments;
  calendar.show({ date, timeZone, rows });
  const text = summaryOf(calendar.cards.map(({ placement }) => placement.appointment));
  setText(byId('summary', HTMLParagraphElement), isLoaded ? text : '');
  const empty = byId('empty', HTMLParagraphElement);
  empty.hidden = calendar.cards.length > 0;
  setText(empty, isLoaded ? 'No appointments on this day.' : 'Loading…');
}

/** Renders once for all events that arrived together. */
function renderPendingEvents(): void {
  render();
  const last = pendingEvents.at(-1);
  if (last) announceChange(last.id, last.meta);
  for (const { id, meta } of pendingEvents) {
    const now = dashboard.appointments.get(id)?.appointment;
    if (now) {
      calendar.highlight(id);
      details.refresh(now, day.timeZone);
    } else details.remove(id);
    reportShown(meta.emissionId);
  }
  pendingEvents.length = 0;
  remember();
}

/** Announces nothing if the appointment was removed before it was rendered. */
function announceChange(id: Id, { event }: EmissionMeta): void {
  const before = lastRendered.get(id);
  const now = dashboard.appointments.get(id)?.appointment ?? before;
  if (now) announce(sentence(event, before, now, day.timeZone));
}

function remember(): void {
  lastRendered = new Map([...dashboard.appointments].map(([id, { appointment }]) => [id, appointment]));
}

function onEvent({ appointment }: { appointment: { _id: Id } }, meta: EmissionMeta): void {
  if (pendingEvents.push({ id: appointment._id, meta }) === 1) queueMicrotask(renderPendingEvents);
}

for (const event of APPOINTMENT_EVENTS) dashboard.on(event, onEvent);
dashboard.on('appointments', () => {
  const isFirst = lastRendered.size === 0;
  render();
  remember();
  if (isFirst) calendar.scrollToStart();
});
showConnection(dashboard, announce, (instant) => timeOfDay(instant, day.timeZone));

function onDay(): void {
  setText(byId('heading', HTMLHeadingElement), longDate(day.date));
  document.title = `${longDate(day.date)} · ${isolate(company)}`;
  render();
  calendar.scrollToStart();
}

let isLoading = false;
async function loadRange(): Promise<void> {
  if (isLoading) return;
  isLoading = true;
  while (!day.isLoaded) {
    try {
      await dashboard.reload();
    } catch {
      announce('This day could not be loaded. Retrying…');
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
  isLoading = false;
}

/** Shows a message at the foot of the page for a few seconds. Screen readers announce it. */
function createAnnouncer(): (text: string) => void {
  const line = byId('announcement', HTMLParagraphElement);
  let hiding: ReturnType<typeof setTimeout> | undefined;
  return (text) => {
    clearTimeout(hiding);
    line.textContent = text;
    line.classList.add('shown');
    hiding = setTimeout(() => {
      line.classList.remove('shown');
    }, ANNOUNCEMENT_VISIBLE_MS);
  };
}

/** Reports to latency measurements and tests that an emission is on the screen, and when. */
function reportShown(emissionId: string): void {
  const detail = { emissionId, at: Date.now() };
  document.documentElement.dataset.lastEmission = emissionId;
  document.documentElement.dataset.lastEmissionAt = String(detail.at);
  window.dispatchEvent(new CustomEvent('emission-shown', { detail }));
}

byId('cards', HTMLUListElement).addEventListener('click', (click) => {
  const card = calendar.cards.find(({ item }) => click.target instanceof Node && item.contains(click.target));
  if (card) details.open(card.placement.appointment, day.timeZone);
});
listenToKeys({ calendar, previousDay: day.previous, nextDay: day.next, today: day.today });
fillTimeZones(day.timeZone, (timeZone) => {
  day.setTimeZone(timeZone);
});
setInterval(() => {
  calendar.tick(new Date());
  day.tick();
}, 20_000);
onDay();
