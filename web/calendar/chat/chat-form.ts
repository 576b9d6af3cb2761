import type { ChatAppointment, ChatCatalogue } from '../../../demo/chat.ts';
import { instantAt, isolate, wallTime } from '@appointment-emissions/contracts';
import { create } from '../../shared/elements.ts';
import { describeAppointment, formatTime, type Subject, subjectOf } from './chat-wording.ts';
import { findFreeSlot, type Wish } from './free-slot.ts';

export interface ToolCall {
  tool: string;
  args: Record<string, string | number>;
}

/** A message of the customer: its text, what it is about, and the tool call that a language model would make of it. */
export interface ChatMessage extends ToolCall {
  text: string;
  subject: Subject;
  /** Undefined if an appointment is canceled. */
  wish: Wish | undefined;
}

export interface ChatForm {
  element: HTMLFormElement;
  /** Sets the appointments that can be moved or canceled, and proposes a free time unless the user has chosen one. */
  offer: (appointments: readonly ChatAppointment[]) => void;
  busy: (isBusy: boolean) => void;
}

interface Deps {
  catalogue: ChatCatalogue;
  onSend: (message: ChatMessage) => void;
  /** Called with the reason if the message has no meaning. */
  onRefusal: (text: string, reason: string) => void;
}

const KINDS = { book: 'Book', move: 'Move', cancel: 'Cancel' } as const;
type Kind = keyof typeof KINDS;

/** The fields of the form for each kind of message. */
const FIELDS_OF: Record<Kind, (keyof Inputs)[]> = {
  book: ['pet', 'service', 'staff', 'minutes', 'day', 'hour'],
  move: ['appointment', 'day', 'hour'],
  cancel: ['appointment'],
};
/** A proposed time is at least this far ahead. */
const NOTICE_MS = 30 * 60_000;

/** A form that replaces the customer's free text and the language model that would interpret it. Times are the company's. */
export function createChatForm({ catalogue, onSend, onRefusal }: Deps): ChatForm {
  const element = create('form', 'wish');
  const inputs = createInputs(catalogue);
  const send = create('button', 'send', 'Send');
  send.setAttribute('aria-disabled', 'false');
  const fields = labelInputs(inputs);
  const proposal = createProposal(inputs, catalogue);
  let appointments: readonly ChatAppointment[] = [];
  const kind = () => new FormData(element).get('kind') as Kind;
  const wish = () => wishOf(kind(), inputs, appointments);

  element.append(createKindChoice(), ...Object.values(fields), send);
  element.addEventListener('change', () => {
    showFields(fields, kind());
    proposal.update(wish(), appointments);
  });
  element.addEventListener('submit', (submit) => {
    submit.preventDefault();
    const message = toMessage(kind(), inputs, appointments, catalogue);
    if ('refusal' in message) onRefusal(message.text, message.refusal);
    else onSend({ ...message, wish: wish() });
  });
  showFields(fields, kind());
  proposal.update(wish(), appointments);

  return {
    element,
    offer(given) {
      appointments = given;
      offerOptions(inputs.appointment, given, catalogue);
      proposal.update(wish(), given);
    },
    busy(isBusy) {
      // `disabled` would remove the focus from the button.
      send.setAttribute('aria-disabled', String(isBusy));
    },
  };
}

function showFields(fields: Record<keyof Inputs, HTMLElement>, kind: Kind): void {
  for (const [name, field] of Object.entries(fields)) {
    field.hidden = !FIELDS_OF[kind].includes(name as keyof Inputs);
    // A disabled field is not validated.
    for (const input of field.querySelectorAll<HTMLInputElement>('input, select'))
      input.disabled = field.hidden;
  }
}

/** Proposes a free time in the fields for day and time, as long as the user has not changed the last proposal. */
function createProposal({ day, hour }: Inputs, catalogue: ChatCatalogue) {
  let proposed = '';

  function choose(start: Date): void {
    const { date, minute } = wallTime(start, catalogue.timeZone);
    day.value = date;
    hour.value = clockTime(minute);
    proposed = `${day.value} ${hour.value}`;
  }

  return {
    update(wish: Wish | undefined, appointments: readonly ChatAppointment[]): void {
      const isChosenByUser = `${day.value} ${hour.value}` !== proposed && proposed !== '';
      if (wish === undefined || isChosenByUser) return;
      const notBefore = new Date(Date.now() + NOTICE_MS);
      // An appointment is not moved to its own time.
      const own = appointments.find(({ id }) => id === wish.appointmentId);
      const after = own === undefined ? notBefore : new Date(Math.max(Date.parse(own.start) + 1, +notBefore));
      choose(findFreeSlot(after, wish, appointments, catalogue) ?? after);
    },
  };
}

/** The wish of a booking or a move; undefined for a cancellation. */
function wishOf(kind: Kind, inputs: Inputs, appointments: readonly ChatAppointment[]): Wish | undefined {
  if (kind === 'book') {
    const { staff, pet, minutes } = inputs;
    return { staffId: staff.value, petId: pet.value, minutes: Number(minutes.value) };
  }
  const appointment = appointments.find(({ id }) => id === inputs.appointment.value);
  if (kind === 'cancel' || !appointment) return undefined;
  const { id: appointmentId, staffId, petId, start, end } = appointment;
  const minutes = end === null ? 0 : (Date.parse(end) - Date.parse(start)) / 60_000;
  return { staffId, petId, minutes, appointmentId };
}

type Inputs = ReturnType<typeof createInputs>;

function createInputs({ customers, services, staff }: ChatCatalogue) {
  const pets = customers.flatMap(({ name: owner, pets: owned }) => owned.map((pet) => ({ ...pet, owner })));
  const inputs = {
    appointment: select([]),
    pet: select(pets.map(({ id, name, owner }) => [id, `${isolate(name)} (${isolate(owner)})`])),
    service: select(services.map(({ id, name }) => [id, isolate(name)])),
    staff: select(staff.map(({ id, name }) => [id, isolate(name)])),
    minutes: select([30, 60, 90, 120].map((length) => [String(length), `${length} minutes`])),
    day: create('input'),
    hour: create('input'),
  };
  inputs.minutes.value = '60';
  inputs.appointment.required = true;
  Object.assign(inputs.day, { type: 'date', required: true, max: '9999-12-31' });
  Object.assign(inputs.hour, { type: 'time', required: true, step: '300' });
  return inputs;
}

function labelInputs(inputs: Inputs): Record<keyof Inputs, HTMLLabelElement> {
  return {
    appointment: labeled('Appointment', inputs.appointment, 'wide'),
    pet: labeled('Pet', inputs.pet, 'wide'),
    service: labeled('Service', inputs.service, 'wide'),
    staff: labeled('With', inputs.staff),
    minutes: labeled('For', inputs.minutes),
    day: labeled('Day', inputs.day),
    hour: labeled('Time', inputs.hour),
  };
}

function createKindChoice(): HTMLFieldSetElement {
  const choice = create('fieldset', 'kinds');
  choice.append(create('legend', '', 'What does the customer want?'));
  for (const [kind, label] of Object.entries(KINDS)) {
    const radio = create('input');
    Object.assign(radio, { type: 'radio', name: 'kind', value: kind, checked: kind === 'book' });
    const option = create('label');
    option.append(radio, label);
    choice.append(option);
  }
  return choice;
}

/** Fills the list of appointments that have not started. The chosen one stays chosen. */
function offerOptions(
  field: HTMLSelectElement,
  appointments: readonly ChatAppointment[],
  catalogue: ChatCatalogue,
): void {
  const before = field.value;
  const future = appointments.filter(({ start }) => Date.parse(start) > Date.now());
  field.replaceChildren(...future.map((one) => new Option(describeAppointment(one, catalogue), one.id)));
  if (future.some(({ id }) => id === before)) field.value = before;
}

function toMessage(
  kind: Kind,
  inputs: Inputs,
  appointments: readonly ChatAppointment[],
  catalogue: ChatCatalogue,
): Omit<ChatMessage, 'wish'> | { text: string; refusal: string } {
  const appointmentId = inputs.appointment.value;
  const chosen = appointments.find(({ id }) => id === appointmentId);
  const booked = { petId: inputs.pet.value, serviceId: inputs.service.value, staffId: inputs.staff.value };
  const subject = subjectOf(kind === 'book' ? booked : (chosen ?? NOTHING), catalogue);
  const { pet, service, staff } = subject;
  const which = chosen === undefined ? '' : formatTime(new Date(chosen.start), catalogue.timeZone);
  if (kind === 'cancel') {
    const text = `Please cancel the appointment of ${pet} with ${staff}: ${which}.`;
    return { text, subject, tool: 'cancel_appointment', args: { appointmentId } };
  }
  const minute = minuteOf(inputs.hour.value);
  const at = formatLocal(inputs.day.value, minute);
  const text =
    kind === 'move'
      ? `Could you move the appointment of ${pet} with ${staff} from ${which} to ${at}?`
      : `Hi! I'd like ${service} for ${pet} with ${staff}: ${at}, please.`;
  const start = instantAt(inputs.day.value, minute, catalogue.timeZone);
  if (start === undefined) {
    const refusal = `Sorry, the clocks of ${catalogue.timeZone} skip ${at}. Please choose another time.`;
    return { text, refusal };
  }
  return kind === 'move'
    ? {
        text,
        subject: { ...subject, start },
        tool: 'reschedule_appointment',
        args: { appointmentId, start: start.toISOString() },
      }
    : {
        text,
        subject: { ...subject, start },
        tool: 'book_appointment',
        args: bookingArgs(start, inputs, catalogue),
      };
}

const NOTHING = { petId: null, serviceId: null, staffId: null };

function bookingArgs(
  start: Date,
  { pet, service, staff, minutes }: Inputs,
  { customers, services }: ChatCatalogue,
): ToolCall['args'] {
  const customer = customers.find(({ pets }) => pets.some(({ id }) => id === pet.value));
  const size = customer?.pets.find(({ id }) => id === pet.value)?.size;
  const item = services.find(({ id }) => id === service.value)?.items.find((one) => one.size === size);
  return {
    customerId: customer?.id ?? '',
    petId: pet.value,
    serviceId: service.value,
    ...(item && { serviceItemId: item.id }),
    staffId: staff.value,
    start: start.toISOString(),
    durationMinutes: Number(minutes.value),
  };
}

/** Formats a local date and time, which may not exist in the time zone. */
function formatLocal(date: string, minute: number): string {
  return formatTime(new Date(Date.parse(`${date}T00:00:00Z`) + minute * 60_000), 'UTC');
}

function select(options: readonly (readonly [string, string])[]): HTMLSelectElement {
  const element = create('select');
  element.append(...options.map(([value, label]) => new Option(label, value)));
  return element;
}

function labeled(label: string, field: HTMLElement, width = ''): HTMLLabelElement {
  const element = create('label', `field ${width}`, label);
  element.append(field);
  return element;
}

/** @param time `hh:mm`, the value of a time field */
function minuteOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * 60 + minutes;
}

/** The opposite of {@link minuteOf}. */
function clockTime(minute: number): string {
  return [Math.floor(minute / 60), minute % 60].map((part) => String(part).padStart(2, '0')).join(':');
}
