import {
  createToolHandlers,
  type MessageFlowLogger,
  type RealtimeAppointments,
  type ToolDefinition,
  type ToolResult,
} from '@appointment-emissions/bot';
import type { CustomerCalendar, CalendarContext } from './calendar.ts';
import { createFindFreeSlots, FIND_FREE_SLOTS, type FoundSlots } from './find-free-slots.ts';
import { periodInWords } from './local-words.ts';

type McpToolName = ToolDefinition['name'] | typeof FIND_FREE_SLOTS.name;
type JsonSchema = Record<string, unknown>;

/** A tool as `tools/list` describes it. */
export interface McpTool {
  name: McpToolName;
  title: string;
  description: string;
  inputSchema: ToolDefinition['input_schema'];
  outputSchema: JsonSchema;
  annotations: {
    readOnlyHint: boolean;
    destructiveHint: boolean;
    idempotentHint: boolean;
    openWorldHint: false;
  };
}

/** Result of a tool call: words for a person, and the same as data of the tool's `outputSchema`. */
export interface McpToolResult {
  text: string;
  structured: Record<string, unknown>;
  isError: boolean;
}

export interface McpTools {
  list: readonly McpTool[];
  /** Never rejects. Invalid arguments and failures are results that say what to do. */
  call: (name: McpToolName, args: unknown) => Promise<McpToolResult>;
  /** Waits for running calls and for the emissions that continue in the background. */
  close: () => Promise<void>;
}

export interface ToolsDeps {
  calendar: CustomerCalendar;
  context: CalendarContext;
  realtime: Pick<
    RealtimeAppointments,
    'emitAppointmentCreated' | 'emitAppointmentUpdated' | 'emitAppointmentCanceled'
  >;
  logger: MessageFlowLogger;
  /** Receives the error of a calendar that cannot be read. */
  onError: (error: unknown) => void;
  now?: () => Date;
}

const TITLES: Record<McpToolName, string> = {
  find_free_slots: 'Find free times',
  book_appointment: 'Book an appointment',
  reschedule_appointment: 'Move an appointment',
  cancel_appointment: 'Cancel an appointment',
};
const HINTS: Record<McpToolName, Omit<McpTool['annotations'], 'openWorldHint'>> = {
  find_free_slots: { readOnlyHint: true, destructiveHint: false, idempotentHint: true },
  book_appointment: { readOnlyHint: false, destructiveHint: false, idempotentHint: false },
  reschedule_appointment: { readOnlyHint: false, destructiveHint: true, idempotentHint: true },
  cancel_appointment: { readOnlyHint: false, destructiveHint: true, idempotentHint: true },
};

/** The tools of one customer of one company. */
export function createTools({
  calendar,
  context,
  realtime,
  logger,
  onError,
  now = () => new Date(),
}: ToolsDeps): McpTools {
  const { customerId, timeZone } = context;
  const booking = createToolHandlers({ bookings: calendar, customerId, realtime, logger, now });
  const findFreeSlots = createFindFreeSlots({ calendar, timeZone, now });
  const running = new Set<Promise<McpToolResult>>();

  async function search(args: unknown): Promise<McpToolResult> {
    try {
      return foundResult(await findFreeSlots(args));
    } catch (error) {
      onError(error);
      const message = 'The calendar cannot be read at the moment. Apologize, and try again in a minute.';
      return foundResult({ ok: false, message });
    }
  }

  return {
    list: [
      describeTool(FIND_FREE_SLOTS, SLOTS_SCHEMA),
      ...booking.definitions.map((definition) => describeTool(definition, BOOKING_SCHEMA)),
    ],
    call(name, args) {
      const call =
        name === 'find_free_slots'
          ? search(args)
          : booking.handle(name, args).then((result) => bookingResult(result, timeZone));
      running.add(call);
      return call.finally(() => running.delete(call));
    },
    async close() {
      await Promise.all(running);
      await booking.close();
    },
  };
}

function describeTool(
  { name, description, input_schema: inputSchema }: ToolDefinition<McpToolName>,
  outputSchema: JsonSchema,
): McpTool {
  const annotations = { ...HINTS[name], openWorldHint: false } as const;
  return { name, title: TITLES[name], description, inputSchema, outputSchema, annotations };
}

function bookingResult(result: ToolResult, timeZone: string): McpToolResult {
  const { ok, message, appointment } = result;
  const text =
    appointment === undefined
      ? message
      : `${message} ${periodInWords(appointment.start, appointment.end, timeZone)}, appointmentId ${appointment.appointmentId}`;
  return { text, structured: { ...result }, isError: !ok };
}

function foundResult(found: FoundSlots): McpToolResult {
  if (!found.ok) return { text: found.message, structured: found, isError: true };
  const { words, ...structured } = found;
  return { text: words, structured, isError: false };
}

const TEXT: JsonSchema = { type: 'string' };
const NULLABLE: JsonSchema = { type: ['string', 'null'] };

function object(properties: Record<string, JsonSchema>, required = Object.keys(properties)): JsonSchema {
  return { type: 'object', properties, required, additionalProperties: false };
}

function arrayOf(properties: Record<string, JsonSchema>): JsonSchema {
  return { type: 'array', items: object(properties) };
}

const OUTCOME = { ok: { type: 'boolean' }, message: TEXT };
const BOOKING_SCHEMA = object(
  {
    ...OUTCOME,
    appointment: object({ appointmentId: TEXT, staffId: NULLABLE, start: NULLABLE, end: NULLABLE }),
  },
  Object.keys(OUTCOME),
);
const SLOTS_SCHEMA = object(
  {
    ...OUTCOME,
    slots: arrayOf({ staffId: TEXT, start: TEXT, end: TEXT }),
    staff: arrayOf({ staffId: TEXT, name: TEXT }),
    pets: arrayOf({ petId: TEXT, name: TEXT }),
    services: arrayOf({
      serviceId: TEXT,
      name: TEXT,
      items: arrayOf({ serviceItemId: TEXT, name: TEXT }),
    }),
    appointments: arrayOf({
      appointmentId: TEXT,
      petId: NULLABLE,
      serviceId: NULLABLE,
      staffId: NULLABLE,
      start: TEXT,
      end: NULLABLE,
    }),
  },
  Object.keys(OUTCOME),
);
