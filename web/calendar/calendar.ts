import type { AppointmentSnapshot, Id, LocalDate } from '@appointment-emissions/contracts';
import type { ShownAppointment } from '@appointment-emissions/dashboard';
import { createCard, slideFrom, type Card } from './card.ts';
import {
  type Column,
  columnsOf,
  type DaySpan,
  layOut,
  type Placement,
  shownPart,
  spanOfDay,
} from './day-layout.ts';
import { byId, create, setChildren, setStyle, setText } from '../shared/elements.ts';
import { createFolds, drawColumns, drawHours, isInView, isList } from './grid.ts';
import { timeOfDay } from './wording.ts';

export interface DayView {
  date: LocalDate;
  timeZone: string;
  rows: ReadonlyMap<Id, ShownAppointment>;
}

export interface Calendar {
  /** Shows a day. Existing cards keep their elements. If the focused card is gone, its neighbour gets the focus. */
  show: (view: DayView) => void;
  /** The cards that are not behind a "+n more" button, in the order in which they are shown. */
  readonly cards: readonly Card[];
  /** The appointments of the day. */
  readonly appointments: readonly AppointmentSnapshot[];
  highlight: (id: Id) => void;
  /** True if the whole card can be seen without scrolling. */
  isInView: (id: Id) => boolean;
  /** Scrolls to a card, focuses and highlights it. */
  reveal: (id: Id) => void;
  /** Moves the mark of the current time. */
  tick: () => void;
  /** Scrolls to the current time, or to the first card. */
  scrollToStart: () => void;
}

/** The view of a day: one column for each staff member on a wide screen, a list by time on a narrow one (calendar.css decides). */
export function createCalendar(): Calendar {
  const cardById = new Map<Id, Card>();
  const cards = createCardList();
  const now = createNowMark();
  /** Staff members whose "+n more" button was pressed. */
  const expanded = new Set<Id | null>();
  const foldItems = createFolds(expand);
  let shown: DayView | undefined;

  function show(view: DayView): void {
    const isSameDay = shown?.date === view.date && shown.timeZone === view.timeZone;
    if (!isSameDay) expanded.clear();
    shown = view;
    const slide = isSameDay ? slideFrom(cardById) : undefined;
    const { day, part, columns, placements, folds } = drawDay(view, expanded);
    const inOrder = updateCards(cardById, placements, columns, view);
    now.move(new Date(), day, part, view.timeZone);
    cards.show(inOrder, foldItems(folds, columns), now.item, { day, timeZone: view.timeZone });
    slide?.();
  }

  function expand(staffId: Id | null): void {
    if (!shown) return;
    const before = new Set(cards.visible);
    expanded.add(staffId);
    show(shown);
    cards.visible.find((card) => !before.has(card))?.button.focus();
  }

  return {
    show,
    get cards() {
      return cards.visible;
    },
    get appointments() {
      return [...cardById.values()].map(({ placement }) => placement.appointment);
    },
    highlight: (id) => cardById.get(id)?.highlight(),
    isInView(id) {
      const card = cardById.get(id);
      return card !== undefined && cards.visible.includes(card) && isInView(card.button);
    },
    reveal(id) {
      const card = cardById.get(id);
      if (!card) return;
      if (!cards.visible.includes(card)) expand(card.placement.appointment.staffId?._id ?? null);
      card.item.scrollIntoView({ block: 'center', inline: 'nearest' });
      cards.focus(card);
      card.highlight();
    },
    tick() {
      if (shown) show(shown);
    },
    scrollToStart() {
      if (!now.scrollTo()) scrollToFirst(cards.visible[0]);
    },
  };
}

/** Lays out a day, and draws all of it but the cards. */
function drawDay({ date, timeZone, rows }: DayView, expanded: ReadonlySet<Id | null>) {
  const appointments = [...rows.values()].map(({ appointment }) => appointment);
  const [day, columns] = [spanOfDay(date, timeZone), columnsOf(appointments)];
  const layout = layOut(appointments, columns, day, expanded);
  const part = shownPart(layout.placements, date, timeZone);
  drawColumns(columns, layout.placements);
  drawHours(part, day, timeZone);
  return { day, part, columns, ...layout };
}

/** Creates, updates and removes cards, so that there is one for each placement. Returns them in order. */
function updateCards(
  cardById: Map<Id, Card>,
  placements: readonly Placement[],
  columns: readonly Column[],
  { rows, timeZone }: DayView,
): Card[] {
  const cards = placements.map((placement) => {
    const id = placement.appointment._id;
    const card = cardById.get(id) ?? createCard(placement);
    cardById.set(id, card);
    card.update(placement, columns[placement.column]?.tone ?? 0, rows.get(id)?.offset ?? 0, timeZone);
    return card;
  });
  const kept = new Set(cards);
  for (const [id, card] of cardById) if (!kept.has(card)) cardById.delete(id);
  return cards;
}

/** The list of cards. One of them is in the tab order; arrow keys move the focus from there. */
function createCardList() {
  const list = byId('cards', HTMLUListElement);
  let inOrder: readonly Card[] = [];
  const isVisible = ({ placement }: Card) => !placement.isFolded || isList();
  const visible = () => inOrder.filter(isVisible);

  function keepOneInTabOrder(): void {
    const current =
      inOrder.find(({ button }) => button === document.activeElement) ??
      inOrder.find((card) => card.button.tabIndex === 0 && isVisible(card)) ??
      visible()[0];
    for (const card of inOrder) card.button.tabIndex = card === current ? 0 : -1;
  }

  return {
    get visible() {
      return visible();
    },
    show(cards: readonly Card[], folds: readonly HTMLElement[], nowItem: NowItem, at: DayInZone): void {
      const focused = inOrder.findIndex(({ button }) => button === document.activeElement);
      inOrder = cards;
      setChildren(list, [...listItems(cards, nowItem, at), ...folds]);
      const isKept = visible().some(({ button }) => button === document.activeElement);
      if (focused !== -1 && !isKept) (visible()[focused]?.button ?? visible().at(-1)?.button ?? list).focus();
      keepOneInTabOrder();
    },
    focus(card: Card): void {
      card.button.focus({ preventScroll: true });
      keepOneInTabOrder();
    },
  };
}

interface DayInZone {
  day: DaySpan;
  timeZone: string;
}

/** The current time in the list, at a minute since the start of the day. The minute is undefined if another day is shown. */
interface NowItem {
  element: HTMLElement;
  minute: number | undefined;
}

/** Inserts the time before the cards that start then, and the current time. Both are visible only in the list by time. */
function listItems(cards: readonly Card[], now: NowItem, { day, timeZone }: DayInZone): HTMLElement[] {
  const { minute = -1 } = now;
  const nowAt = cards.filter(({ placement }) => placement.from <= minute).length;
  const items = cards.map((card, n): HTMLElement[] => {
    const { from } = card.placement;
    if (from === cards[n - 1]?.placement.from) return [card.item];
    const time = create('li', 'at', timeOfDay(day.instantAt(from), timeZone));
    time.ariaHidden = 'true';
    return [time, card.item];
  });
  if (now.minute !== undefined) items.splice(nowAt, 0, [now.element]);
  return items.flat();
}

/** The mark of the current time: a line in columns, an item in the list. */
function createNowMark() {
  const line = byId('now', HTMLDivElement);
  const item: NowItem = { element: create('li', 'now-item'), minute: undefined };
  item.element.ariaHidden = 'true';
  return {
    item,
    move(now: Date, day: DaySpan, part: { from: number; to: number }, timeZone: string): void {
      const minute = day.minuteAt(now);
      const isToday = now >= day.start && now < day.end;
      item.minute = isToday ? minute : undefined;
      setText(item.element, `Now, ${timeOfDay(now, timeZone)}`);
      line.hidden = !isToday || minute < part.from || minute > part.to;
      setStyle(line, { '--from': minute });
    },
    /** Returns false if the current time is not shown. */
    scrollTo(): boolean {
      const mark = isList() ? item.element : line;
      if (!mark.isConnected || mark.hidden) return false;
      if (isList()) mark.scrollIntoView({ block: 'center' });
      else scrollDayTo(mark);
      return true;
    },
  };
}

function scrollToFirst(card: Card | undefined): void {
  if (isList()) {
    scrollTo({ top: 0 });
    return;
  }
  scrollDayTo(card?.item);
}

/** Half the height of an hour's label, which is centred on its line. */
const LABEL_ABOVE_LINE_PX = 10;

/** Scrolls down to an element, but not sideways. The view begins at a full hour, so that no card of that hour is cut off. */
function scrollDayTo(element: HTMLElement | undefined): void {
  const day = byId('day', HTMLElement);
  const top = element ? element.offsetTop - day.clientHeight / 3 : 0;
  const hours = [...day.querySelectorAll<HTMLElement>('.hour')].map(({ offsetTop }) => offsetTop);
  const hour = Math.max(0, ...hours.filter((line) => line <= top));
  day.scrollTo({ top: Math.max(hour - LABEL_ABOVE_LINE_PX, 0) });
}
