import { isNativeError } from 'node:util/types';
import {
  APPOINTMENT_CANCELED,
  APPOINTMENT_CREATED,
  APPOINTMENT_UPDATED,
  type AppointmentEvent,
} from '@appointment-emissions/contracts';
import { readAppointmentId } from './appointment-id.ts';
import { inBatches, readBatch } from './batch.ts';
import { createCircuitBreaker } from './circuit-breaker.ts';
import { startDeadline, untilAborted } from './deadline.ts';
import { createDeliver, type Delivery } from './deliver.ts';
import { createHttpTransport } from './http-transport.ts';
import { createFileLogger } from './message-flow-file.ts';
import { swallowErrors } from './message-flow.ts';
import { toSettings, type RealtimeAppointmentsOptions, type Settings } from './options.ts';
import { createReport, type Subject } from './report.ts';
import { batchRequest, singleRequest, type EmissionRequest } from './requests.ts';
import { createSocketTransport } from './socket-transport.ts';

/**
 * Tells the dashboards what happened to an appointment. Every call resolves to true (the backend has it and keeps
 * it) or false (the log says why) within the deadline; none throws or rejects, whatever it is given.
 *
 * False does not mean that nobody will see the change: an answer can have been lost, and the backend's sweep finds
 * what was saved and never announced. So don't undo a booking for it, and don't loop over it.
 */
export interface RealtimeAppointments {
  /** @param appointmentId a string of 24 hex characters, an ObjectId, or the document with its `_id` */
  emitAppointmentCreated: (appointmentId: unknown) => Promise<boolean>;
  emitAppointmentUpdated: (appointmentId: unknown) => Promise<boolean>;
  emitAppointmentCanceled: (appointmentId: unknown) => Promise<boolean>;
  /**
   * Many at once, `{event, appointmentId}` each, at low priority so that live bookings stay ahead. True if all were
   * accepted; the log names those that were not. An empty list is true.
   */
  emitBatch: (emissions: readonly { event: AppointmentEvent; appointmentId: unknown }[]) => Promise<boolean>;
  /** Waits for what is under way (the deadline at most), then lets go of connections and log file. */
  close: () => Promise<void>;
}

export function createRealtimeAppointments(options: RealtimeAppointmentsOptions = {}): RealtimeAppointments {
  const settings = toSettings(options);
  const logger = swallowErrors(options.logger ?? createFileLogger({ logDir: settings.logDir }));
  const report = createReport(logger, settings.apiKey);
  const backend = connect(settings);
  const underWay = new Set<Promise<unknown>>();
  let closing: Promise<void> | undefined;

  /** Undefined where there is no way to try it, which the log then says. */
  function ready(fields: Record<string, unknown>): ReturnType<typeof connect> {
    if (closing !== undefined) report.failed('warn', 'closed', fields);
    else if (settings.problem) report.failed(settings.problem.level, settings.problem.reason, fields);
    else return backend;
    return undefined;
  }

  async function send(request: EmissionRequest, subject: Subject): Promise<boolean> {
    const way = ready(subject.fields);
    if (way === undefined) return false;
    const startedAt = performance.now();
    const deadline = startDeadline(settings.deadlineMs);
    try {
      const late: Delivery = { verdict: lateVerdict(settings), via: 'http', attempts: 1 };
      const delivery = (await untilAborted(way.deliver(request, deadline), deadline.signal)) ?? late;
      return report.outcome(subject, delivery, performance.now() - startedAt);
    } finally {
      deadline.end();
    }
  }

  async function emit(event: AppointmentEvent, appointmentId: unknown): Promise<boolean> {
    const read = readAppointmentId(appointmentId);
    if ('problem' in read) {
      report.failed('error', read.problem, { event });
      return false;
    }
    const emission = { event, appointmentId: read.id };
    return send(singleRequest(emission), { events: [event], fields: emission });
  }

  async function emitBatch(given: unknown): Promise<boolean> {
    const { emissions, problems } = readBatch(given);
    if (problems.length > 0) {
      report.failed('error', 'emissions that could not be read', { problems: problems.slice(0, 20) });
    }
    const sent = inBatches(emissions).map((batch) => {
      const events = [...new Set(batch.map(({ event }) => event))];
      return send(batchRequest(batch), { events, fields: { batch: batch.length } });
    });
    const accepted = await Promise.all(sent);
    return problems.length === 0 && accepted.every(Boolean);
  }

  /** The last line of defence: a mistake of ours must not become the bot's. */
  async function answer(work: () => Promise<boolean>): Promise<boolean> {
    const running = work().catch((error: unknown) => {
      report.failed('error', 'a mistake in the library', {
        stack: isNativeError(error) ? error.stack : undefined,
      });
      return false;
    });
    underWay.add(running);
    return running.finally(() => underWay.delete(running));
  }

  async function close(): Promise<void> {
    await Promise.all(underWay);
    backend?.close();
    await logger.close?.();
  }

  return {
    emitAppointmentCreated: (appointmentId) => answer(() => emit(APPOINTMENT_CREATED, appointmentId)),
    emitAppointmentUpdated: (appointmentId) => answer(() => emit(APPOINTMENT_UPDATED, appointmentId)),
    emitAppointmentCanceled: (appointmentId) => answer(() => emit(APPOINTMENT_CANCELED, appointmentId)),
    emitBatch: (emissions) => answer(() => emitBatch(emissions)),
    close: () => (closing ??= close()),
  };
}

function connect(settings: Settings) {
  const { backendUrl, apiKey } = settings;
  if (backendUrl === undefined || apiKey === undefined) return undefined;
  const http = createHttpTransport({ backendUrl, apiKey });
  const socket = settings.socketFallback
    ? createSocketTransport({ backendUrl, apiKey, idleMs: settings.socketIdleMs })
    : undefined;
  const deliver = createDeliver({
    http,
    httpBreaker: createCircuitBreaker(settings),
    socket,
    socketBreaker: createCircuitBreaker(settings),
    settings,
  });
  return {
    deliver,
    close() {
      http.close();
      socket?.close();
    },
  };
}

function lateVerdict({ deadlineMs }: Settings): Delivery['verdict'] {
  const error = new Error(`no answer within ${deadlineMs} ms: it may have been accepted all the same`);
  return { outcome: 'unanswered', error, timedOut: true };
}
