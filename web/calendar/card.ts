import type { AppointmentSnapshot, Id } from '@appointment-emissions/contracts';
import type { Placement } from './day-layout.ts';
import { create, setParts, setStyle, setText, userText, userTexts } from '../shared/elements.ts';
import { freesSlot, statusName } from './status.ts';
import { kindOfPet, petName, timeRange } from './wording.ts';

export interface Card {
  /** The list item. Its button takes the focus. */
  item: HTMLLIElement;
  button: HTMLButtonElement;
  placement: Placement;
  /** @param tone number of the staff member's colour */
  update: (placement: Placement, tone: number, offset: number, timeZone: string) => void;
  /** Highlights the card briefly. */
  highlight: () => void;
}

const HIGHLIGHT_MS = 2_500;
const SLIDE_MS = 400;

/** Creates the card of an appointment. */
export function createCard(first: Placement): Card {
  const item = create('li', 'slot');
  const button = create('button', 'card');
  button.type = 'button';
  const time = create('span', 'time');
  const status = create('span', 'status');
  const statusText = create('span', 'status-text');
  const pet = create('span', 'pet');
  const name = create('strong');
  const kind = create('span', 'kind');
  const service = create('span', 'service');
  const people = create('span', 'people');
  pet.append(name, ' ', kind);
  const texts = create('span', 'texts');
  texts.append(time, status, pet, service, people);
  button.append(texts);
  item.append(button);
  let fading: ReturnType<typeof setTimeout> | undefined;

  const card: Card = {
    item,
    button,
    placement: first,
    update(placement, tone, offset, timeZone) {
      const { appointment } = placement;
      const hasNewStatus = button.dataset.status !== (appointment.status ?? '') || !status.hasChildNodes();
      card.placement = placement;
      button.dataset.appointmentId = appointment._id;
      button.dataset.status = appointment.status ?? '';
      button.dataset.frees = String(freesSlot(appointment));
      button.dataset.offset = String(offset);
      placeItem(item, placement, tone);
      setText(time, timeRange(appointment, timeZone));
      setParts(statusText, userText(statusName(appointment)));
      if (hasNewStatus) status.replaceChildren(createStatusIcon(appointment), statusText);
      setParts(name, userText(petName(appointment)));
      setParts(kind, ...userTexts(kindOfPet(appointment), ' · '));
      setParts(service, userText(appointment.serviceId?.name ?? 'No service'));
      const customer = userText(appointment.customerId?.fullName ?? 'Unknown customer');
      setParts(people, customer, ' · with ', userText(appointment.staffId?.fullName ?? 'no staff member'));
    },
    highlight() {
      clearTimeout(fading);
      button.classList.remove('fresh');
      button.getBoundingClientRect(); // Forces a layout without the class, which restarts a running animation.
      button.classList.add('fresh');
      fading = setTimeout(() => {
        button.classList.remove('fresh');
      }, HIGHLIGHT_MS);
    },
  };
  return card;
}

function placeItem(item: HTMLElement, placement: Placement, tone: number): void {
  const { column, lane, lanes, span, from, to, isFolded, beganBefore, goesOn } = placement;
  item.dataset.tone = String(tone);
  item.dataset.folded = String(isFolded);
  item.dataset.beganBefore = String(beganBefore);
  item.dataset.goesOn = String(goesOn);
  setStyle(item, {
    '--column-number': column + 1,
    '--lane-number': lane,
    '--lanes': lanes,
    '--span': span,
    '--from': from,
    '--to': to,
  });
}

const CIRCLE = 'M8 2.2a5.8 5.8 0 1 0 0 11.6a5.8 5.8 0 1 0 0-11.6z';
/** Lines of a 16 × 16 picture for each status. */
const ICONS: Record<string, string> = {
  scheduled: `${CIRCLE}M8 5v3.3l2.2 1.4`,
  checked_in: 'M2 8h7M6.2 5l3 3-3 3M9.5 2.5h4v11h-4',
  in_progress: 'M5 3.2l7.5 4.8-7.5 4.8z',
  completed: 'M2.5 8.6l3.6 3.6 7.4-8',
  canceled: 'M3.8 3.8l8.4 8.4M12.2 3.8l-8.4 8.4',
  no_show: `${CIRCLE}M4.2 4.2l7.6 7.6`,
};
const UNKNOWN_ICON = 'M6 6.2a2 2 0 1 1 3 1.7c-.7.4-1 .8-1 1.5M8 12v.2';
const SVG = 'http://www.w3.org/2000/svg';

/** A picture of the status, in the colour of the text. The name of the status must be beside it, for screen readers. */
function createStatusIcon({ status }: AppointmentSnapshot): SVGElement {
  const icon = document.createElementNS(SVG, 'svg');
  const lines = document.createElementNS(SVG, 'path');
  icon.setAttribute('viewBox', '0 0 16 16');
  icon.setAttribute('class', 'icon');
  icon.setAttribute('aria-hidden', 'true');
  lines.setAttribute('d', ICONS[status ?? ''] ?? UNKNOWN_ICON);
  icon.append(lines);
  return icon;
}

/** Records the positions of the cards. Returns a function that animates each card that has moved since. */
export function slideFrom(cards: ReadonlyMap<Id, Card>): (() => void) | undefined {
  if (matchMedia('(prefers-reduced-motion: reduce)').matches || document.hidden) return undefined;
  const before = [...cards.values()].map(
    (card) => [card, card.item.offsetLeft, card.item.offsetTop] as const,
  );
  return () => {
    for (const [{ item }, left, top] of before) {
      const [x, y] = [left - item.offsetLeft, top - item.offsetTop];
      if (!item.isConnected || (x === 0 && y === 0)) continue;
      item.animate([{ translate: `${x}px ${y}px` }, { translate: '0 0' }], {
        duration: SLIDE_MS,
        easing: 'ease-out',
      });
    }
  };
}
