import type { Id } from '@appointment-emissions/contracts';
import type { Placement } from './day-layout.ts';
import { create, setParts, setStyle, setText, userText, userTexts } from '../shared/elements.ts';
import { freesSlot, statusName } from './status.ts';
import { kindOfPet, petName, timeRange } from './wording.ts';

export interface Card {
  /** The list item. Its button takes the focus. */
  item: HTMLLIElement;
  button: HTMLButtonElement;
  placement: Placement;
  update: (placement: Placement, offset: number, timeZone: string) => void;
  /** Highlights the card briefly. */
  highlight: () => void;
}

const HIGHLIGHT_MS = 2_500;
const SLIDE_MS = 400;
export const TONES = 6;

/** Creates the card of an appointment. */
export function createCard(first: Placement): Card {
  const item = create('li', 'slot');
  const button = create('button', 'card');
  button.type = 'button';
  const time = create('span', 'time');
  const status = create('span', 'status');
  const pet = create('span', 'pet');
  const name = create('strong');
  const kind = create('span', 'kind');
  const service = create('span', 'service');
  const people = create('span', 'people');
  pet.append(name, ' ', kind);
  button.append(time, status, pet, service, people);
  item.append(button);
  let fading: ReturnType<typeof setTimeout> | undefined;

  const card: Card = {
    item,
    button,
    placement: first,
    update(placement, offset, timeZone) {
      const { appointment, column, lane, lanes, from, to } = placement;
      card.placement = placement;
      button.dataset.appointmentId = appointment._id;
      button.dataset.status = appointment.status ?? '';
      button.dataset.frees = String(freesSlot(appointment));
      button.dataset.offset = String(offset);
      item.dataset.tone = String(column % TONES);
      setStyle(item, {
        '--column': column + 1,
        '--lane': lane,
        '--lanes': lanes,
        '--from': from,
        '--to': to,
      });
      setText(time, timeRange(appointment, timeZone));
      setParts(status, userText(statusName(appointment)));
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
