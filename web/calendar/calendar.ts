import { type Id, type LocalDate, wallTime } from '@appointment-emissions/contracts';
import type { ShownAppointment } from '@appointment-emissions/dashboard';
import { createCard, slideFrom, TONES, type Card } from './card.ts';
import { columnsOf, hoursOf, placementsOf, type Column, type Placement } from './day-layout.ts';
import { byId, create, setChildren, setStyle, userText, userTexts } from '../shared/elements.ts';
import { freesSlot } from './status.ts';
import { timeOfDay } from './wording.ts';

export interface DayView {
  date: LocalDate;
  timeZone: string;
  rows: ReadonlyMap<Id, ShownAppointment>;
}

export interface Calendar {
  /** Shows a day. Existing cards keep their elements. */
  show: (view: DayView) => void;
  highlight: (id: Id) => void;
  /** In the order in which they are shown. */
  readonly cards: readonly Card[];
  /** Moves the line of the current time. */
  tick: (now: Date) => void;
  scrollToStart: () => void;
}

/** The view of a day: one column for each staff member on a wide screen, a list by time on a narrow one (calendar.css decides). */
export function createCalendar(): Calendar {
  const day = byId('day', HTMLElement);
  const heads = byId('heads', HTMLDivElement);
  const hours = byId('hours', HTMLDivElement);
  const stripes = byId('columns', HTMLDivElement);
  const nowLine = byId('now', HTMLDivElement);
  const list = byId('cards', HTMLUListElement);
  const cardById = new Map<Id, Card>();
  let inOrder: Card[] = [];
  let shown: DayView | undefined;
  let hoursShown = { from: 0, to: 24 };

  function tick(now: Date): void {
    if (!shown) return;
    const { date, minute } = wallTime(now, shown.timeZone);
    nowLine.hidden = date !== shown.date || minute < hoursShown.from * 60 || minute > hoursShown.to * 60;
    setStyle(nowLine, { '--from': minute });
  }

  function show(view: DayView): void {
    const isSameDay = shown?.date === view.date && shown.timeZone === view.timeZone;
    shown = view;
    const appointments = [...view.rows.values()].map(({ appointment }) => appointment);
    const columns = columnsOf(appointments);
    const placements = placementsOf(appointments, columns, view.date, view.timeZone);
    hoursShown = hoursOf(placements);
    const slide = isSameDay ? slideFrom(cardById) : undefined;

    setStyle(day, {
      '--columns': Math.max(columns.length, 1),
      '--first': hoursShown.from * 60,
      '--last': hoursShown.to * 60,
    });
    setChildren(heads, headsOf(columns, placements));
    setChildren(
      stripes,
      columns.map(() => create('div')),
    );
    setChildren(hours, hoursLabels(hoursShown));
    inOrder = updateCards(cardById, placements, view);
    setChildren(list, withTimes(inOrder));
    keepOneInTabOrder(inOrder);
    tick(new Date());
    slide?.();
  }

  return {
    show,
    tick,
    highlight: (id) => cardById.get(id)?.highlight(),
    get cards() {
      return inOrder;
    },
    scrollToStart() {
      const target = nowLine.hidden ? inOrder[0]?.item : nowLine;
      day.scrollTo({ top: target ? Math.max(target.offsetTop - day.clientHeight / 3, 0) : 0 });
    },
  };
}

/** Creates, updates and removes cards, so that there is one for each placement. Returns them in order. */
function updateCards(
  cardById: Map<Id, Card>,
  placements: readonly Placement[],
  { rows, timeZone }: DayView,
): Card[] {
  const cards = placements.map((placement) => {
    const id = placement.appointment._id;
    const card = cardById.get(id) ?? createCard(placement);
    cardById.set(id, card);
    card.update(placement, rows.get(id)?.offset ?? 0, timeZone);
    return card;
  });
  for (const [id, card] of cardById) if (!cards.includes(card)) cardById.delete(id);
  return cards;
}

function headsOf(columns: readonly Column[], placements: readonly Placement[]): HTMLElement[] {
  return columns.map(({ name, role }, column) => {
    const head = create('div', 'head');
    head.dataset.tone = String(column % TONES);
    const booked = placements.filter((placement) => {
      return placement.column === column && !freesSlot(placement.appointment);
    }).length;
    const [who, what] = [create('strong'), create('span', 'quiet')];
    who.append(userText(name));
    what.append(...userTexts([role], ''), `${role ? ' · ' : ''}${booked} booked`);
    head.append(who, what);
    return head;
  });
}

function clockTime(minute: number): string {
  return timeOfDay(new Date(Date.UTC(2000, 0, 1, 0, minute)), 'UTC');
}

function hoursLabels({ from, to }: { from: number; to: number }): HTMLElement[] {
  return Array.from({ length: to - from }, (_, n) => {
    const label = create('span', 'hour', clockTime((from + n) * 60));
    setStyle(label, { '--from': (from + n) * 60 });
    return label;
  });
}

/** Inserts a heading with the time before the cards that start then. It is visible only in the list by time. */
function withTimes(cards: readonly Card[]): HTMLElement[] {
  return cards.flatMap((card, n) => {
    const { from } = card.placement;
    if (from === cards[n - 1]?.placement.from) return [card.item];
    const time = create('li', 'at', clockTime(from));
    time.ariaHidden = 'true';
    return [time, card.item];
  });
}

/** Puts one card into the tab order. Arrow keys move the focus from there. */
function keepOneInTabOrder(cards: readonly Card[]): void {
  const current =
    cards.find(({ button }) => button === document.activeElement) ??
    cards.find(({ button }) => button.tabIndex === 0);
  for (const card of cards) card.button.tabIndex = card === (current ?? cards[0]) ? 0 : -1;
}
