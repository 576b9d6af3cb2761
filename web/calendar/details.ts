import { type AppointmentSnapshot, type Id, wallTime } from '@appointment-emissions/contracts';
import { byId, create, userText, userTexts } from '../shared/elements.ts';
import { freesSlot, statusName } from './status.ts';
import { kindOfPet, longDate, petName, timeRange } from './wording.ts';

/** The dialog with the details of an appointment. */
export interface Details {
  open: (appointment: AppointmentSnapshot, timeZone: string) => void;
  /** Updates the dialog if it shows this appointment. */
  refresh: (appointment: AppointmentSnapshot, timeZone: string) => void;
  /** Closes the dialog if it shows this appointment. */
  remove: (id: Id) => void;
}

export function createDetails(): Details {
  const dialog = byId('details', HTMLDialogElement);
  let openId: string | undefined;
  dialog.addEventListener('close', () => {
    openId = undefined;
  });
  dialog.addEventListener('click', (click) => {
    if (click.target === dialog) dialog.close(); // The click was on the backdrop.
  });

  function fill(appointment: AppointmentSnapshot, timeZone: string): void {
    const title = create('h2');
    title.append(userText(petName(appointment)));
    title.id = 'details-title';
    const facts = create('dl');
    for (const [term, fact] of factsOf(appointment, timeZone)) {
      const value = create('dd');
      value.append(...(Array.isArray(fact) ? userTexts(fact, ', ') : [fact ?? '']));
      if (value.textContent !== '') facts.append(create('dt', '', term), value);
    }
    const close = create('button', '', 'Close');
    close.type = 'button';
    close.addEventListener('click', () => {
      dialog.close();
    });
    const content = create('div', 'content');
    const kind = create('p', 'quiet');
    kind.append(...userTexts(kindOfPet(appointment), ' · '));
    content.append(title, kind, facts, close);
    dialog.dataset.frees = String(freesSlot(appointment));
    dialog.replaceChildren(content);
  }

  return {
    open(appointment, timeZone) {
      openId = appointment._id;
      fill(appointment, timeZone);
      dialog.showModal();
    },
    refresh(appointment, timeZone) {
      if (appointment._id === openId) fill(appointment, timeZone);
    },
    remove(id) {
      if (id === openId) dialog.close();
    },
  };
}

/** A formatted text, or a list of user texts. */
type Fact = string | null | (string | null | undefined)[];

function factsOf(appointment: AppointmentSnapshot, timeZone: string): [string, Fact][] {
  const { start, petId, customerId, serviceId, serviceItemId, staffId, source, notes } = appointment;
  const { size, coatType } = serviceItemId ?? petId ?? {};
  return [
    ['Day', start && longDate(wallTime(new Date(start), timeZone).date)],
    ['Time', timeRange(appointment, timeZone)],
    ['Status', [statusName(appointment)]],
    ['Service', [serviceId?.name]],
    ['Size, coat', [petId?.size ?? size, petId?.coatType ?? coatType]],
    ['Price', serviceItemId?.price?.toLocaleString(undefined, { minimumFractionDigits: 2 }) ?? null],
    ['Staff', [staffId?.fullName, staffId?.role]],
    ['Customer', [customerId?.fullName]],
    ['Phone', [customerId?.phone]],
    ['Email', [customerId?.email]],
    ['Source', [source]],
    ['Notes', [notes]],
  ];
}
