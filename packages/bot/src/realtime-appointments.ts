import { isNativeError } from 'node:util/types';
import {
  APPOINTMENT_CANCELED,
  APPOINTMENT_CREATED,
  APPOINTMENT_DELETED,
  APPOINTMENT_UPDATED,
} from '@appointment-emissions/contracts';
import { timedOut } from './attempt.ts';
import { type BatchEmission, inBatches, readBatch, readEmission } from './batch.ts';
import { createCircuitBreaker } from './circuit-breaker.ts';
import { startDeadline, untilAborted } from './deadline.ts';
import { createDeliver } from './deliver.ts';
import { createHttpTransport } from './http-transport.ts';
import { createFileLogger } from './message-flow-file.ts';
import { createMessageFlow } from './message-flow.ts';
import { toSettings, type RealtimeAppointmentsOptions, type Settings } from './options.ts';
import { createConsoleNotice, createReport, type LoggedCall } from './report.ts';
import { batchRequest, singleRequest, type DeliveryRequest } from './requests.ts';
import { createSocketTransport } from './socket-transport.ts';
import { createTraceCall } from './trace-call.ts';

/**
 * Announces appointment changes to the dashboards.
 *
 * Every call resolves within the deadline: to true if the backend has accepted the emission, otherwise to false. In that case
 * the log has the reason. No call throws or rejects, whatever its arguments are.
 *
 * After false the change may still reach the dashboards: the reply may have been lost, and the backend's sweep finds changes
 * that were saved but not announced. So do not undo the booking, and do not call again in a loop.
 */
export interface RealtimeAppointments {
  /** @param appointmentId a string of 24 hexadecimal characters, an ObjectId, or the document with its `_id` */
  emitAppointmentCreated: (appointmentId: unknown) => Promise<boolean>;
  /** See {@link RealtimeAppointments.emitAppointmentCreated}. */
  emitAppointmentUpdated: (appointmentId: unknown) => Promise<boolean>;
  /** See {@link RealtimeAppointments.emitAppointmentCreated}. */
  emitAppointmentCanceled: (appointmentId: unknown) => Promise<boolean>;
  /**
   * Call it after the document was removed. The company is needed because the backend can no longer read it. If the document
   * still exists, the dashboards get an update instead.
   */
  emitAppointmentDeleted: (appointmentId: unknown, companyId: unknown) => Promise<boolean>;
  /**
   * Announces many changes. They have a lower priority than single emissions. Resolves to true if all were accepted, or the
   * list is empty; otherwise the log names the rejected ones.
   */
  emitBatch: (emissions: readonly BatchEmission[]) => Promise<boolean>;
  /**
   * Waits for running calls, at most their deadline. Then it closes the connections and the log file, or calls `close` of a logger
   * of the form `{messageFlow, close}`. Another logger stays open.
   */
  close: () => Promise<void>;
}

/** Maximum number of invalid items of a batch that a line names. */
const MAX_LOGGED_PROBLEMS = 20;

/**
 * Creates the functions that announce appointment changes.
 *
 * @example
 * ```ts
 * const { emitAppointmentCreated } = createRealtimeAppointments({ config, logger: logger.messageFlow });
 * const accepted = await emitAppointmentCreated(appointment._id);
 * ```
 */
export function createRealtimeAppointments(options: RealtimeAppointmentsOptions = {}): RealtimeAppointments {
  const settings = toSettings(options);
  const { logDir } = settings;
  const messageFlow = createMessageFlow(options.logger || createFileLogger({ logDir }));
  const report = createReport({
    messageFlow,
    apiKey: settings.apiKey,
    onFailed: options.logger ? () => undefined : createConsoleNotice(logDir),
  });
  const backend = connect(settings);
  const traceCall = createTraceCall();
  const inFlight = new Set<Promise<unknown>>();
  let closing: Promise<void> | undefined;

  async function send(request: DeliveryRequest, call: LoggedCall): Promise<boolean> {
    if (closing !== undefined) {
      report.failed('warn', 'closed', call.fields);
      return false;
    }
    if (backend === undefined) {
      if (settings.problem) report.failed(settings.problem.level, settings.problem.reason, call.fields);
      return false;
    }
    const startedAt = performance.now();
    const { delivery, fields } = await traceCall(request, call, (traced) => backend.deliver(traced));
    return report.delivered({ ...call, fields }, delivery, performance.now() - startedAt);
  }

  /** Runs a call. An unexpected error is a bug in this library: it is logged, and the call is false. */
  async function run(call: () => Promise<boolean>): Promise<boolean> {
    const running = call().catch((error: unknown) => {
      const stack = isNativeError(error) ? error.stack : undefined;
      report.failed('error', 'a bug in the library', { stack });
      return false;
    });
    inFlight.add(running);
    return running.finally(() => inFlight.delete(running));
  }

  async function close(): Promise<void> {
    await Promise.all(inFlight);
    backend?.close();
    await messageFlow.close();
  }

  const calls: Calls = { send, report };
  return {
    emitAppointmentCreated: (appointmentId) =>
      run(() => emitOne(calls, { event: APPOINTMENT_CREATED, appointmentId })),
    emitAppointmentUpdated: (appointmentId) =>
      run(() => emitOne(calls, { event: APPOINTMENT_UPDATED, appointmentId })),
    emitAppointmentCanceled: (appointmentId) =>
      run(() => emitOne(calls, { event: APPOINTMENT_CANCELED, appointmentId })),
    emitAppointmentDeleted: (appointmentId, companyId) =>
      run(() => emitOne(calls, { event: APPOINTMENT_DELETED, appointmentId, companyId })),
    emitBatch: (emissions) => run(() => emitMany(calls, emissions)),
    close: () => (closing ??= close()),
  };
}

interface Calls {
  /** Delivers a request and logs the result. Resolves to true if it was accepted. */
  send: (request: DeliveryRequest, call: LoggedCall) => Promise<boolean>;
  report: ReturnType<typeof createReport>;
}

async function emitOne({ send, report }: Calls, given: BatchEmission): Promise<boolean> {
  const { event } = given;
  const emission = readEmission(given);
  if ('problem' in emission) {
    report.failed('error', emission.problem, { event });
    return false;
  }
  return send(singleRequest(emission), { events: [event], fields: { ...emission } });
}

async function emitMany({ send, report }: Calls, given: unknown): Promise<boolean> {
  const { emissions, problems } = readBatch(given);
  if (problems.length > 0) {
    const named = problems.slice(0, MAX_LOGGED_PROBLEMS);
    report.failed('error', 'invalid emissions in the batch', { problems: named });
  }
  const sent = inBatches(emissions).map((batch) => {
    const events = [...new Set(batch.map(({ event }) => event))];
    return send(batchRequest(batch), { events, fields: { batch: batch.length } });
  });
  const accepted = await Promise.all(sent);
  return problems.length === 0 && accepted.every(Boolean);
}

/** Returns undefined if nothing can be sent with these settings. */
function connect(settings: Settings) {
  const { backendUrl, apiKey, deadlineMs } = settings;
  if (settings.problem !== undefined || backendUrl === undefined || apiKey === undefined) return undefined;
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
    /** Resolves within the deadline of a call. */
    async deliver(request: DeliveryRequest): Promise<Awaited<ReturnType<typeof deliver>>> {
      const deadline = startDeadline(deadlineMs);
      try {
        const delivery = await untilAborted(deliver(request, deadline), deadline.signal);
        return delivery ?? { result: timedOut(deadlineMs), via: 'http', attempts: 1 };
      } finally {
        deadline.end();
      }
    },
    close() {
      http.close();
      socket?.close();
    },
  };
}
