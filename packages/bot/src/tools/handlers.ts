import { isNativeError } from 'node:util/types';
import { parseInstant } from '@appointment-emissions/contracts';
import { swallowErrors, type MessageFlowLogger } from '../message-flow.ts';
import type { RealtimeAppointments } from '../realtime-appointments.ts';
import { createAnnounce } from './announce.ts';
import type { BookedAppointment, BookingOutcome, BookingService } from './booking-service.ts';
import { TOOL_DEFINITIONS, TOOL_NAMES, type ToolDefinition, type ToolName } from './definitions.ts';
import { readArguments } from './read-arguments.ts';
import { isoOrNull, problemOfTime, wordsFor } from './describe-outcome.ts';

/** What the model is told. Plain data: give it to the loop as JSON. */
export interface ToolResult {
  ok: boolean;
  /** For the model: what happened, or what to do differently. */
  message: string;
  /** A value that the calendar does not have is `null`. */
  appointment?: { appointmentId: string; staffId: string | null; start: string | null; end: string | null };
}

export interface ToolHandlers {
  definitions: readonly ToolDefinition[];
  /** Never throws or rejects, whatever the model calls for. */
  handle: (name: string, args: unknown) => Promise<ToolResult>;
  /** Waits for the emissions that went on in the background. */
  close: () => Promise<void>;
}

interface Deps {
  bookings: BookingService;
  realtime: Pick<
    RealtimeAppointments,
    'emitAppointmentCreated' | 'emitAppointmentUpdated' | 'emitAppointmentCanceled'
  >;
  logger: MessageFlowLogger;
  now?: () => Date;
}

type Values = Record<string, string | number>;

/** The three tools of the bot: check the arguments, save, then tell the dashboards. */
export function createToolHandlers({
  bookings,
  realtime,
  logger,
  now = () => new Date(),
}: Deps): ToolHandlers {
  const log = swallowErrors(logger);
  const { announce, drain } = createAnnounce(log);

  /** The arguments were read by the tool's schema: each has its type. */
  function save(tool: ToolName, values: Values): Promise<BookingOutcome> {
    const text = (name: string): string => values[name] as string;
    const start = (): Date => new Date(parseInstant(text('start')) ?? Number.NaN);
    const textIfGiven = (name: string): string | undefined => values[name] as string | undefined;
    const minutes = values.durationMinutes as number | undefined;
    switch (tool) {
      case 'book_appointment':
        return bookings.book({
          customerId: text('customerId'),
          petId: text('petId'),
          serviceId: text('serviceId'),
          serviceItemId: textIfGiven('serviceItemId'),
          staffId: text('staffId'),
          start: start(),
          durationMinutes: minutes ?? 0,
          notes: textIfGiven('notes'),
        });
      case 'reschedule_appointment':
        return bookings.reschedule({
          appointmentId: text('appointmentId'),
          start: start(),
          durationMinutes: minutes,
          staffId: textIfGiven('staffId'),
        });
      case 'cancel_appointment':
        return bookings.cancel(text('appointmentId'));
      default:
        return tool satisfies never;
    }
  }

  const emitFor: Record<ToolName, (appointmentId: string) => Promise<boolean>> = {
    book_appointment: (id) => realtime.emitAppointmentCreated(id),
    reschedule_appointment: (id) => realtime.emitAppointmentUpdated(id),
    cancel_appointment: (id) => realtime.emitAppointmentCanceled(id),
  };

  async function run(tool: ToolDefinition, args: unknown): Promise<ToolResult> {
    const read = readArguments(tool, args);
    if ('problems' in read) return refuse(`Nothing was done. ${read.problems.join(' ')}`);
    const wrongTime = problemOfTime(read.values.start, now());
    if (wrongTime !== undefined) return refuse(`Nothing was done. ${wrongTime}`);

    const outcome = await save(tool.name, read.values);
    if (outcome.outcome === 'refused' && outcome.cause !== undefined)
      log.messageFlow('error', `[${tool.name}] The bookings refused to save`, { cause: outcome.cause });
    if (outcome.outcome !== 'done') return refuse(wordsFor(tool.name, outcome));
    const { appointment, changed } = outcome;
    if (changed) {
      const { appointmentId } = appointment;
      await announce(tool.name, appointmentId, async () => emitFor[tool.name](appointmentId));
    }
    return { ok: true, message: wordsFor(tool.name, outcome), appointment: toPlain(appointment) };
  }

  return {
    definitions: TOOL_DEFINITIONS,
    close: drain,
    async handle(name, args) {
      const tool = TOOL_DEFINITIONS.find((definition) => definition.name === name);
      if (tool === undefined) return refuse(`There is no such tool; there are ${TOOL_NAMES.join(', ')}.`);
      try {
        return await run(tool, args);
      } catch (error) {
        const fields = { stack: isNativeError(error) ? error.stack : String(error) };
        log.messageFlow('error', `[${tool.name}] Failed to reach the bookings`, fields);
        return refuse(
          'The calendar can not be reached at the moment, and it is not certain that anything was saved. ' +
            'Apologize, and try again in a minute; if it then says that the time is taken, ask a person to check.',
        );
      }
    },
  };
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
