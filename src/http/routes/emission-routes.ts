import { type Request, type RequestHandler, type Response, Router } from 'express';
import {
  type AcceptedReply,
  APPOINTMENT_DELETED,
  type AppointmentEvent,
  type BatchItemResult,
  type BatchReply,
  EVENT_SLUGS,
  type Id,
  isAppointmentEvent,
  TRACEPARENT,
} from '@appointment-emissions/contracts';
import { isHexId } from '../../domain/to-hex-id.ts';
import { AppError, ERROR_CODES, type ErrorCode } from '../../errors.ts';
import {
  type AcceptEmissions,
  type EmissionRequest,
  rejectionOf,
  type RequestContext,
} from '../../accept/accept-emission.ts';
import { fromRedis } from '../../redis/redis-errors.ts';
import type { RunIdempotently } from '../../accept/idempotency.ts';
import { jsonBody } from '../middleware/json-body.ts';
import type { RefusedItem } from '../middleware/report-refusals.ts';
import { appointmentQuery, batchBody, singleBody } from '../middleware/validate.ts';

export const EMISSIONS_PATH = '/api/v1/internal/socket';
const WITHOUT_REDIS = 'Redis, which keeps the jobs, does not answer';

export interface EmissionRoutesDeps {
  /** Largest bodies, in bytes. */
  bodyLimits: { single: number; batch: number };
  /** Path prefix of the URLs in answers. */
  basePath?: string | undefined;
  accept: AcceptEmissions;
  idempotently: RunIdempotently;
  timelines: {
    /** The timeline of an emission; `undefined` if it is not kept. */
    one: (emissionId: string) => Promise<object | undefined>;
    /** The timelines of an appointment's last emissions, newest first. */
    ofAppointment: (appointmentId: Id) => Promise<object[]>;
  };
}

/**
 * The internal routes, behind the API key: `POST /appointment-created`, `-updated`, `-canceled`, `-deleted`, `/batch`;
 * `GET /emissions/:emissionId`, `/emissions?appointmentId=`.
 */
export function createEmissionRoutes(deps: EmissionRoutesDeps): Router {
  const { bodyLimits } = deps;
  const router = Router();
  for (const [slug, event] of Object.entries(EVENT_SLUGS)) {
    router.post(`/${slug}`, ...jsonBody(bodyLimits.single), ...singleBody(event), acceptOne(event, deps));
    router.all(`/${slug}`, allowOnly('POST'));
  }
  router.post('/batch', ...jsonBody(bodyLimits.batch), ...batchBody, acceptBatch(deps));
  router.all('/batch', allowOnly('POST'));
  addTimelineRoutes(router, deps.timelines);
  return router;
}

function acceptOne(
  event: AppointmentEvent,
  { accept, idempotently, basePath }: EmissionRoutesDeps,
): RequestHandler {
  return async (req, res) => {
    const request = toRequest(event, req.body as Record<string, unknown>);
    let isRepeat = false as boolean;
    const emissionId = await idempotently(idempotencyOf(req, request), (attempt) => {
      isRepeat = attempt.isRepeat;
      return accept.one(request, { ...attempt, ...contextOf(req) });
    });
    const reply = acceptedReply(request, emissionId, pathOf(req, basePath));
    sendAccepted(res, reply, { isRepeat, location: reply.statusUrl });
  };
}

function acceptBatch({ accept, idempotently }: EmissionRoutesDeps): RequestHandler {
  return async (req, res) => {
    const { emissions } = req.body as { emissions: unknown[] };
    const items = emissions.map(parseBatchItem);
    const valid = items.filter((item): item is EmissionRequest => typeof item !== 'string');
    let isRepeat = false as boolean;
    const emissionIds = await idempotently(idempotencyOf(req, emissions), (attempt) => {
      isRepeat = attempt.isRepeat;
      return accept.many(valid, { ...attempt, ...contextOf(req) });
    });
    let next = 0;
    const results = items.map((item, index): BatchItemResult => {
      const emissionId = typeof item === 'string' ? undefined : emissionIds[next++];
      if (emissionId !== undefined) return { index, status: 202, emissionId };
      const code = typeof item === 'string' ? item : rejectionOf(item);
      return { index, status: ERROR_CODES[code], code };
    });
    const accepted = results.filter(({ status }) => status === 202).length;
    const rejected = results.length - accepted;
    if (rejected > 0) {
      res.locals.refusedItems = results.flatMap(({ code, index }) =>
        code === undefined ? [] : { code: code as ErrorCode, item: emissions[index] },
      ) satisfies RefusedItem[];
    }
    const reply = { success: true, accepted, rejected, results } as const;
    sendAccepted(res, reply, { isRepeat });
  };
}

function addTimelineRoutes(router: Router, timelines: EmissionRoutesDeps['timelines']): void {
  router.get('/emissions/:emissionId', async (req, res) => {
    const found = await fromRedis(timelines.one(req.params.emissionId), WITHOUT_REDIS);
    if (!found) throw new AppError('EMISSION_NOT_FOUND', 'unknown or expired emission id');
    res.json({ success: true, ...found });
  });
  router.all('/emissions/:emissionId', allowOnly('GET', 'HEAD'));

  router.get('/emissions', ...appointmentQuery, async (req, res) => {
    const { appointmentId: given } = req.query as { appointmentId: string };
    const appointmentId = given.toLowerCase();
    const emissions = await fromRedis(timelines.ofAppointment(appointmentId), WITHOUT_REDIS);
    if (emissions.length === 0) {
      throw new AppError('EMISSION_NOT_FOUND', 'unknown appointment id, or its emissions have expired');
    }
    res.json({ success: true, appointmentId, emissions });
  });
  router.all('/emissions', allowOnly('GET', 'HEAD'));
}

/** Does what `res.json` does, without the parts that an uncached answer does not need: a tenth of this route's CPU. */
function sendAccepted(
  res: Response,
  reply: AcceptedReply | BatchReply,
  { isRepeat, location }: { isRepeat: boolean; location?: string },
): void {
  const text = JSON.stringify(reply);
  res.writeHead(202, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
    ...(location !== undefined && { Location: location }),
    ...(isRepeat && { 'Idempotency-Replayed': 'true' }),
  });
  res.end(text);
}

/** The path of these routes as the caller sees it. An application can mount them anywhere. */
function pathOf({ baseUrl }: Request, basePath = ''): string {
  return baseUrl.startsWith(`${basePath}/`) ? baseUrl : `${basePath}${baseUrl}`;
}

/** Body of a 202, here and on the `/internal` namespace. @param path  of these routes, as the caller sees it */
export function acceptedReply(
  { event, appointmentId }: EmissionRequest,
  emissionId: string,
  path: string,
): AcceptedReply {
  return {
    success: true,
    event,
    appointmentId,
    emissionId,
    statusUrl: `${path}/emissions/${emissionId}`,
    message: `${event} was accepted`,
    eventType: event,
  };
}

/** Validates one item of a batch. @returns the code if it is rejected */
function parseBatchItem(item: unknown): EmissionRequest | ErrorCode {
  if (typeof item !== 'object' || item === null) return 'INVALID_REQUEST';
  const { event, appointmentId, companyId } = item as Record<string, unknown>;
  if (!isAppointmentEvent(event)) return 'INVALID_EVENT';
  if (!isHexId(appointmentId)) return 'INVALID_APPOINTMENT_ID';
  const isDeletion = event === APPOINTMENT_DELETED;
  if (isDeletion && !isHexId(companyId)) return 'INVALID_COMPANY_ID';
  if (Object.keys(item).length > (isDeletion ? 3 : 2)) return 'INVALID_REQUEST';
  return toRequest(event, { appointmentId, companyId });
}

/** The request for one emission, from fields that were validated. Idempotency keys are compared with it. */
export function toRequest(
  event: AppointmentEvent,
  { appointmentId, companyId }: Readonly<Record<string, unknown>>,
): EmissionRequest {
  const request = { event, appointmentId: String(appointmentId).toLowerCase() };
  return event === APPOINTMENT_DELETED ? { ...request, companyId: String(companyId).toLowerCase() } : request;
}

function idempotencyOf(req: Request, body: unknown) {
  return {
    keyFingerprint: String(req.res?.locals.keyFingerprint),
    idempotencyKey: req.get('Idempotency-Key'),
    body,
  };
}

/** Identifies the request in logs. A malformed traceparent is left out, as its specification demands. */
function contextOf(req: Request): Pick<RequestContext, 'traceparent' | 'requestId'> {
  const traceparent = req.get('traceparent');
  return {
    requestId: String(req.res?.locals.requestId),
    ...(traceparent !== undefined && TRACEPARENT.test(traceparent) && { traceparent }),
  };
}

/** Last handler of a route: every other method is 405, with the supported ones in `Allow`. */
function allowOnly(...methods: readonly string[]): RequestHandler {
  const allowed = methods.join(', ');
  return (req, res) => {
    res.set('Allow', allowed);
    throw new AppError('METHOD_NOT_ALLOWED', `${req.method} is not supported by this route; use ${allowed}`);
  };
}
