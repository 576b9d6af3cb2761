import type { ChatAppointment, ChatCatalogue } from '../../demo/chat.ts';
import { addDays, instantAt, isolate, wallTime } from '@appointment-emissions/contracts';
import { create } from '../shared/elements.ts';

export interface ToolCall {
  tool: string;
  args: Record<string, string | number>;
}

/** A message of the customer, as text and as a tool call. If no tool call is possible, `refusal` is the reply of the bot. */
export type ChatMessage = { text: string } & (ToolCall | { refusal: string });

export interface ChatForm {
  element: HTMLFormElement;
  offer: (appointments: readonly ChatAppointment[]) => void;
  busy: (isBusy: boolean) => void;
}

interface Deps {
  catalogue: ChatCatalogue;
  timeZone: () => string;
  onSend: (message: ChatMessage) => void;
}

const KINDS = { book: 'Book', move: 'Move', cancel: 'Cancel' } as const;
type Kind = keyof typeof KINDS;

/** A form that replaces the customer's free text and the language model that would interpret it. */
export function createChatForm({ catalogue, timeZone, onSend }: Deps): ChatForm {
  const element = create('form', 'wish');
  const pets = petsOf(catalogue);
  const inputs = createInputs(catalogue, pets, timeZone());
  const send = create('button', 'send', 'Send');
  const fields = labelInputs(inputs);
  element.append(createKindChoice(), ...Object.values(fields), send);
  element.addEventListener('change', showFields);
  element.addEventListener('submit', (submit) => {
    submit.preventDefault();
    onSend(toMessage(kind(), inputs, catalogue, pets, timeZone()));
  });
  showFields();

  function kind(): Kind {
    return new FormData(element).get('kind') as Kind;
  }

  function showFields(): void {
    for (const [name, field] of Object.entries(fields)) {
      field.hidden = !FIELDS_OF[kind()].includes(name as keyof Inputs);
      // A disabled field is not validated.
      for (const input of field.querySelectorAll('input, select'))
        (input as HTMLInputElement).disabled = field.hidden;
    }
  }

  return {
    element,
    offer(appointments) {
      const { appointment } = inputs;
      const before = appointment.value;
      appointment.replaceChildren(
        ...appointments.map((one) => new Option(describe(one, catalogue, pets, timeZone()), one.id)),
      );
      if (appointments.some(({ id }) => id === before)) appointment.value = before;
    },
    busy(isBusy) {
      // `disabled` would remove the focus from the button.
      send.setAttribute('aria-disabled', String(isBusy));
    },
  };
}

interface ChatPet {
  id: string;
  name: string;
  size: string;
  customerId: string;
  owner: string;
}

function petsOf({ customers }: ChatCatalogue): ChatPet[] {
  return customers.flatMap(({ id: customerId, name: owner, pets }) =>
    pets.map((pet) => ({ ...pet, customerId, owner })),
  );
}

type Inputs = ReturnType<typeof createInputs>;

/** The fields of the form for each kind of message. */
const FIELDS_OF: Record<Kind, (keyof Inputs)[]> = {
  book: ['pet', 'service', 'staff', 'minutes', 'day', 'hour'],
  move: ['appointment', 'day', 'hour'],
  cancel: ['appointment'],
};

function createInputs({ services, staff }: ChatCatalogue, pets: readonly ChatPet[], timeZone: string) {
  const { date, time } = nextHour(timeZone);
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
  Object.assign(inputs.day, { type: 'date', required: true, max: '9999-12-31', value: date });
  Object.assign(inputs.hour, { type: 'time', required: true, step: '300', value: time });
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

function toMessage(
  kind: Kind,
  inputs: Inputs,
  catalogue: ChatCatalogue,
  pets: readonly ChatPet[],
  timeZone: string,
): ChatMessage {
  const { appointment, pet, service, staff, day, hour } = inputs;
  const which = textOf(appointment);
  const appointmentId = appointment.value;
  if (kind === 'cancel') {
    return {
      tool: 'cancel_appointment',
      args: { appointmentId },
      text: `Please cancel this appointment: ${which}`,
    };
  }
  const minute = minuteOf(hour.value);
  const at = formatLocal(day.value, minute);
  const text =
    kind === 'move'
      ? `Could you move this appointment to ${at}? ${which}`
      : `Hi! I'd like a ${textOf(service)} for ${textOf(pet)} with ${textOf(staff)}: ${at}, please.`;
  const start = instantAt(day.value, minute, timeZone);
  if (start === undefined) {
    return { text, refusal: `Nothing was done: the clocks of ${timeZone} skip ${at}. Choose another time.` };
  }
  return kind === 'move'
    ? { tool: 'reschedule_appointment', args: { appointmentId, start: start.toISOString() }, text }
    : { tool: 'book_appointment', args: bookingArgs(start, inputs, catalogue, pets), text };
}

function bookingArgs(
  start: Date,
  { pet, service, staff, minutes }: Inputs,
  { services }: ChatCatalogue,
  pets: readonly ChatPet[],
): ToolCall['args'] {
  const chosen = pets.find(({ id }) => id === pet.value);
  const items = services.find(({ id }) => id === service.value)?.items;
  const item = items?.find(({ size }) => size === chosen?.size);
  return {
    customerId: chosen?.customerId ?? '',
    petId: pet.value,
    serviceId: service.value,
    ...(item && { serviceItemId: item.id }),
    staffId: staff.value,
    start: start.toISOString(),
    durationMinutes: Number(minutes.value),
  };
}

function describe(
  { petId, serviceId, staffId, start }: ChatAppointment,
  { services, staff }: ChatCatalogue,
  pets: readonly ChatPet[],
  timeZone: string,
): string {
  const name = (rows: readonly { id: string; name: string }[], id: string | null): string =>
    isolate(rows.find((row) => row.id === id)?.name ?? '?');
  const what = `${name(pets, petId)}, ${name(services, serviceId)}, ${name(staff, staffId)}`;
  return `${formatInstant(new Date(start), timeZone)}: ${what}`;
}

function formatInstant(instant: Date, timeZone: string): string {
  return new Intl.DateTimeFormat(undefined, { timeZone, dateStyle: 'medium', timeStyle: 'short' }).format(
    instant,
  );
}

/** Formats a local date and time, which may not exist in the time zone. */
function formatLocal(date: string, minute: number): string {
  return formatInstant(new Date(Date.parse(`${date}T00:00:00Z`) + minute * 60_000), 'UTC');
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

function textOf({ selectedOptions }: HTMLSelectElement): string {
  return selectedOptions[0]?.text ?? '';
}

/** A full hour one to two hours from now; if it is outside working hours, the next morning. */
function nextHour(timeZone: string): { date: string; time: string } {
  const { date, minute } = wallTime(new Date(Date.now() + 2 * 3_600_000), timeZone);
  const hour = Math.floor(minute / 60);
  if (hour >= 9 && hour < 18) return { date, time: `${String(hour).padStart(2, '0')}:00` };
  return { date: hour < 9 ? date : addDays(date, 1), time: '09:00' };
}

/** @param time `hh:mm`, the value of a time field */
function minuteOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * 60 + minutes;
}
