import {
  APPOINTMENT_EVENTS,
  type AppointmentSnapshot,
  type EmissionMeta,
  EVENT_SLUGS,
  type Id,
  isolate,
} from '@appointment-emissions/contracts';
import { connectDashboard, fetchAppointments } from '@appointment-emissions/dashboard';
import { BASE_PATH } from '../shared/base-path.ts';
import { createAnnouncer } from './announcer.ts';
import { createCalendar } from './calendar.ts';
import { startChat } from './chat/start-chat.ts';
import { showConnection } from './connection-badge.ts';
import { createDayChoice } from './day-choice.ts';
import { createDetails } from './details.ts';
import { connectDrawer } from './drawer.ts';
import { byId, setParts, setText, userText } from '../shared/elements.ts';
import { listenToKeys } from './keyboard.ts';
import { openSession } from './session.ts';
import { chooseTimeZone, fillTimeZones } from './settings.ts';
import { summaryOf } from './status.ts';
import { longDate, sentence, timeOfDay } from './wording.ts';

const RETRY_MS = 3_000;
const UNREACHABLE = 'The server does not respond. Trying again…';
const NOT_LOADED = 'The appointments cannot be loaded at the moment. Trying again…';

const session = await openSession(() => {
  showMessage('failed', UNREACHABLE);
});
document.body.dataset.ready = 'true';
const company = session.demo?.companyName ?? 'Appointments';
setParts(byId('company', HTMLSpanElement), userText(company));

const { announce } = createAnnouncer(showAppointment);
const calendar = createCalendar();
const details = createDetails();
const day = createDayChoice({
  timeZone: chooseTimeZone(session.demo?.timeZone),
  onDay,
  onRange: () => void loadRange(),
});
if (session.demo) void openChat(byId('chat', HTMLElement));
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
/** The last attempt to load the day has failed. */
let hasFailed = false;
/** An appointment to scroll to when its day is loaded. */
let toReveal: Id | undefined;

async function openChat(panel: HTMLElement): Promise<void> {
  if (await startChat(panel)) connectDrawer(panel);
}

function showMessage(kind: 'loading' | 'failed' | 'empty', text: string): void {
  const message = byId('empty', HTMLParagraphElement);
  message.dataset.kind = kind;
  setText(message, text);
}

function render(): void {
  const { date, timeZone, isLoaded } = day;
  const dayView = byId('day', HTMLElement);
  const isNewlyLoaded = isLoaded && dayView.dataset.loaded !== 'true';
  dayView.dataset.loaded = String(isLoaded);
  calendar.show({ date, timeZone, rows: dashboard.appointments });
  const shown = calendar.appointments;
  setText(byId('summary', HTMLParagraphElement), isLoaded ? summaryOf(shown) : '');
  byId('empty', HTMLParagraphElement).hidden = isLoaded && shown.length > 0;
  // A scrollable element without a card must be in the tab order itself.
  dayView.tabIndex = shown.length > 0 ? -1 : 0;
  if (isLoaded) showMessage('empty', 'No appointments on this day.');
  else if (hasFailed) showMessage('failed', NOT_LOADED);
  else showMessage('loading', 'Loading…');
  if (isLoaded) hasFailed = false;
  if (isNewlyLoaded) calendar.scrollToStart();
  if (isLoaded && toReveal !== undefined) {
    calendar.reveal(toReveal);
    toReveal = undefined;
  }
}

/** Shows the day of an appointment and scrolls to it. */
function showAppointment(id: Id): void {
  const start = dashboard.appointments.get(id)?.appointment.start;
  if (!start) return;
  toReveal = id;
  day.showInstant(new Date(start));
}

/** Renders once for all events that arrived together. */
function renderPendingEvents(): void {
  render();
  announceChanges();
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

/** Announces the last booking or, if there is none, the last change. Announces nothing that was removed before it was rendered. */
function announceChanges(): void {
  const isBooking = ({ meta }: { meta: EmissionMeta }) => meta.event === EVENT_SLUGS['appointment-created'];
  const main = pendingEvents.findLast(isBooking) ?? pendingEvents.at(-1);
  if (!main) return;
  const { id, meta } = main;
  const before = lastRendered.get(id);
  const current = dashboard.appointments.get(id)?.appointment;
  const now = current ?? before;
  if (!now) return;
  const others = new Set(pendingEvents.map((event) => event.id)).size - 1;
  const text = sentence(meta.event, before, now, day.timeZone) + (others > 0 ? ` (and ${others} more)` : '');
  const isOutOfView = current?.start != null && !calendar.isInView(id);
  announce(text, isOutOfView ? id : undefined);
}

function remember(): void {
  lastRendered = new Map([...dashboard.appointments].map(([id, { appointment }]) => [id, appointment]));
}

function onEvent({ appointment }: { appointment: { _id: Id } }, meta: EmissionMeta): void {
  if (pendingEvents.push({ id: appointment._id, meta }) === 1) queueMicrotask(renderPendingEvents);
}

for (const event of APPOINTMENT_EVENTS) dashboard.on(event, onEvent);
dashboard.on('appointments', () => {
  render();
  remember();
});
dashboard.on('problem', () => {
  hasFailed = true;
  if (!day.isLoaded) render();
});
showConnection({ dashboard, announce, timeOf: (instant) => timeOfDay(instant, day.timeZone) });

function onDay(): void {
  setText(byId('heading', HTMLHeadingElement), longDate(day.date));
  document.title = `${longDate(day.date)} · ${isolate(company)}`;
  render();
  const focused = document.activeElement;
  if (focused?.closest('#cards .slot')) focused.scrollIntoView({ block: 'nearest' });
  else calendar.scrollToStart();
}

let isLoading = false;
async function loadRange(): Promise<void> {
  if (isLoading) return;
  isLoading = true;
  while (!day.isLoaded) {
    try {
      await dashboard.reload();
    } catch {
      hasFailed = true;
      render();
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
  isLoading = false;
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
fillTimeZones({ chosen: day.timeZone, ofCompany: session.demo?.timeZone }, (timeZone) => {
  day.setTimeZone(timeZone);
});
setInterval(() => {
  calendar.tick();
  day.tick();
}, 20_000);
onDay();
