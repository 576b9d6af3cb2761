import { isNativeError } from 'node:util/types';
import { parseInstant } from '@appointment-emissions/contracts';
import { createMessageFlow, type MessageFlowLogger } from '../message-flow.ts';
import type { RealtimeAppointments } from '../realtime-appointments.ts';
import { createAnnounce } from './announce.ts';
import {
  type BookedAppointment,
  type BookingOutcome,
  type BookingService,
  bookingsOfCustomer,
  type CustomerBookingService,
} from './booking-service.ts';
import {
  CUSTOMER_TOOL_DEFINITIONS,
  TOOL_DEFINITIONS,
  TOOL_NAMES,
  type ToolDefinition,
  type ToolName,
} from './definitions.ts';
import { readArguments } from './read-arguments.ts';
import { describeOutcome, describeTimeProblem, isoOrNull } from './describe-outcome.ts';

/** Result of a tool call for the model. It is plain data: pass it to the model as JSON. */
export interface ToolResult {
  ok: boolean;
  /** What happened, and if the call failed, what to do differently. */
  message: string;
  /** The appointment after a successful call. A field is `null` if the stored value is missing or malformed. */
  appointment?: { appointmentId: string; staffId: string | null; start: string | null; end: string | null };
}

/** The tools of a bot, see {@link createToolHandlers}. */
export interface ToolHandlers {
  /** Pass these to the model. */
  definitions: readonly ToolDefinition[];
  /** Runs a tool call. Never throws or rejects, even for an unknown tool or malformed arguments. */
  handle: (name: string, args: unknown) => Promise<ToolResult>;
  /** Waits for the emissions that continue in the background. */
  close: () => Promise<void>;
}

type Deps = ToolDeps &
  (
    | { bookings: BookingService; customerId?: undefined }
    /**
     * With `customerId`, the tools serve this customer only: `book_appointment` has no argument `customerId`, and the appointments
     * of other customers are unknown.
     */
    | { bookings: CustomerBookingService; customerId: string }
  );

interface ToolDeps {
  realtime: Pick<
    RealtimeAppointments,
    'emitAppointmentCreated' | 'emitAppointmentUpdated' | 'emitAppointmentCanceled'
  >;
  logger: MessageFlowLogger;
  now?: () => Date;
}

type Values = Record<string, string | number>;

/**
 * Creates the three tools of a booking bot. A tool validates its arguments, saves the change, and emits it to the dashboards.
 *
 * It waits at most 50 ms for the emission, which then continues in the background. A failed emission does not fail the tool.
 *
 * @example
 * ```ts
 * const tools = createToolHandlers({ bookings, realtime: createRealtimeAppointments(), logger });
 * const result = await tools.handle('cancel_appointment', { appointmentId: '65f1a2b3c4d5e6f708192a3b' });
 * // { ok: true, message: 'Canceled.', appointment: { … } }
 * ```
 */
export function createToolHandlers(deps: Deps): ToolHandlers {
  const { realtime, logger, now = () => new Date() } = deps;
  const isForOne = deps.customerId !== undefined;
  const bookings = isForOne ? bookingsOfCustomer(deps.bookings, deps.customerId) : deps.bookings;
  const definitions = isForOne ? CUSTOMER_TOOL_DEFINITIONS : TOOL_DEFINITIONS;
  const messageFlow = createMessageFlow(logger);
  const { announce, drain } = createAnnounce(messageFlow);

  const emitFor: Record<ToolName, (appointmentId: string) => Promise<boolean>> = {
    book_appointment: (id) => realtime.emitAppointmentCreated(id),
    reschedule_appointment: (id) => realtime.emitAppointmentUpdated(id),
    cancel_appointment: (id) => realtime.emitAppointmentCanceled(id),
  };

  async function run(tool: ToolDefinition, args: unknown): Promise<ToolResult> {
    const read = readArguments(tool, args);
    if ('problems' in read) return refuse(`Nothing was done. ${read.problems.join(' ')}`);
    const timeProblem = describeTimeProblem(read.values.start, now());
    if (timeProblem !== undefined) return refuse(`Nothing was done. ${timeProblem}`);

    const outcome = await save(bookings, tool.name, read.values);
    if (outcome.outcome === 'refused' && outcome.cause !== undefined)
      messageFlow.log('error', `[${tool.name}] The booking service rejected the change`, {
        cause: outcome.cause,
      });
    if (outcome.outcome !== 'done') return refuse(describeOutcome(tool.name, outcome));
    const { appointment, changed } = outcome;
    if (changed) {
      const { appointmentId } = appointment;
      await announce(tool.name, appointmentId, async () => emitFor[tool.name](appointmentId));
    }
    return { ok: true, message: describeOutcome(tool.name, outcome), appointment: toPlain(appointment) };
  }

  return {
    definitions,
    close: drain,
    async handle(name, args) {
      const tool = definitions.find((definition) => definition.name === name);
      if (tool === undefined) return refuse(`There is no such tool. The tools are ${TOOL_NAMES.join(', ')}.`);
      try {
        return await run(tool, args);
      } catch (error) {
        const fields = { stack: isNativeError(error) ? error.stack : String(error) };
        messageFlow.log('error', `[${tool.name}] The booking service failed`, fields);
        return refuse(
          'The calendar cannot be reached at the moment, and the change may or may not be saved. ' +
            'Apologize, and try again in a minute. If the time is then taken, ask a staff member to check.',
        );
      }
    },
  };
}

/** @param values arguments that were validated against the tool's schema, so the casts are safe */
function save(bookings: BookingService, tool: ToolName, values: Values): Promise<BookingOutcome> {
  const text = (name: string): string => values[name] as string;
  const start = (): Date => new Date(parseInstant(text('start')) ?? Number.NaN);
  const optionalText = (name: string): string | undefined => values[name] as string | undefined;
  const minutes = values.durationMinutes as number | undefined;
  switch (tool) {
    case 'book_appointment':
      return bookings.book({
        // Tools for one customer have no such argument: bookingsOfCustomer sets it.
        customerId: optionalText('customerId') ?? '',
        petId: text('petId'),
        serviceId: text('serviceId'),
        serviceItemId: optionalText('serviceItemId'),
        staffId: text('staffId'),
        start: start(),
        durationMinutes: minutes ?? 0,
        notes: optionalText('notes'),
      });
    case 'reschedule_appointment':
      return bookings.reschedule({
        appointmentId: text('appointmentId'),
        start: start(),
        durationMinutes: minutes,
        staffId: optionalText('staffId'),
      });
    case 'cancel_appointment':
      return bookings.cancel(text('appointmentId'));
    default:
      return tool satisfies never;
  }
}

function refuse(message: string): ToolResult {
  return { ok: false, message };
}

function toPlain({
  appointmentId,
  staffId,
  start,
  end,
}: BookedAppointment): Required<ToolResult>['appointment'] {
  return { appointmentId, staffId, start: isoOrNull(start), end: isoOrNull(end) };
}
