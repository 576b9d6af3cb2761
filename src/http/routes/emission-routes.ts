import { type Request, type RequestHandler, type Response, Router } from 'express';
import {
  type AcceptedReply,
  type AppointmentEvent,
  type BatchItemResult,
  type BatchReply,
  EVENT_SLUGS,
  type Id,
  isAppointmentEvent,
  OBJECT_ID,
  TRACEPARENT,
} from '@appointment-emissions/contracts';
import { AppError, ERROR_CODES, type ErrorCode } from '../../errors.ts';
import { allowOnly } from '../middleware/allow-only.ts';
import type { AcceptEmissions, EmissionRequest, RequestContext } from '../../accept/accept-emission.ts';
import { fromRedis } from '../../redis/from-redis.ts';
import type { RunIdempotently } from '../../accept/idempotency.ts';
import { jsonBody } from '../middleware/json-body.ts';
import { appointmentQuery, batchBody, singleBody } from '../middleware/validate.ts';

export const EMISSIONS_PATH = '/api/v1/internal/socket';
const WITHOUT_REDIS = 'the jobs are kept in Redis, which does not answer';

export interface EmissionRoutesDeps {
  /** Largest bodies, in bytes. */
  bodyLimits: { single: number; batch: number };
  /** Stands before the paths in answers. */
  basePath?: string | undefined;
  accept: AcceptEmissions;
  idempotently: RunIdempotently;
  timelines: {
    /** The timeline of an emission; `undefined` when it is no longer kept. */
    one: (emissionId: string) => Promise<object | undefined>;
    /** Those of an appointment's last emissions that are kept, newest first. */
    ofAppointment: (appointmentId: Id) => Promise<object[]>;
  };
}

/** `POST /appointment-created`, `-updated`, `-canceled`, `/batch`; `GET /emissions/:emissionId`, `/emissions?appointmentId=`. Behind the key. */
export function createEmissionRoutes(deps: EmissionRoutesDeps): Router {
  const { bodyLimits, basePath, accept, idempotently, timelines } = deps;
  const router = Router();

  const acceptOne =
    (event: AppointmentEvent): RequestHandler =>
    async (req, res) => {
      const { appointmentId } = req.body as { appointmentId: string };
      const asked: EmissionRequest = { event, appointmentId: appointmentId.toLowerCase() };
      const emissionId = await idempotently(idempotencyOf(req, asked), (by) =>
        accept.one(asked, { ...by, ...requestOf(req) }),
      );
      sendAccepted(res, acceptedReply(asked, emissionId, basePath));
    };

  for (const [slug, event] of Object.entries(EVENT_SLUGS)) {
    router.post(`/${slug}`, ...jsonBody(bodyLimits.single), ...singleBody, acceptOne(event));
    router.all(`/${slug}`, allowOnly('POST'));
  }

  router.post('/batch', ...jsonBody(bodyLimits.batch), ...batchBody, async (req, res) => {
    const { emissions } = req.body as { emissions: unknown[] };
    const judged = emissions.map(judge);
    const fit = judged.filter((item): item is EmissionRequest => typeof item !== 'string');
    const ids = await idempotently(idempotencyOf(req, emissions), (by) =>
      accept.many(fit, { ...by, ...requestOf(req) }),
    );
    let next = 0;
    const results = judged.map((item, index): BatchItemResult => {
      if (typeof item === 'string') return { index, status: ERROR_CODES[item], code: item };
      const emissionId = ids[next++];
      return emissionId === undefined
        ? { index, status: 404, code: 'APPOINTMENT_NOT_FOUND' satisfies ErrorCode }
        : { index, status: 202, emissionId };
    });
    const accepted = results.filter(({ status }) => status === 202).length;
    res.locals.refusedItems = results.flatMap(({ code }) => code ?? []);
    sendAccepted(res, { success: true, accepted, rejected: results.length - accepted, results });
  });

  router.all('/batch', allowOnly('POST'));

  router.get('/emissions/:emissionId', async (req, res) => {
    const found = await fromRedis(timelines.one(req.params.emissionId), WITHOUT_REDIS);
    if (!found) {
      throw new AppError(
        'EMISSION_NOT_FOUND',
        'no emission of this id is kept: it never was, or it ended long ago',
      );
    }
    res.json({ success: true, ...found });
  });
  router.all('/emissions/:emissionId', allowOnly('GET', 'HEAD'));

  router.get('/emissions', ...appointmentQuery, async (req, res) => {
    const { appointmentId: given } = req.query as { appointmentId: string };
    const appointmentId = given.toLowerCase();
    const emissions = await fromRedis(timelines.ofAppointment(appointmentId), WITHOUT_REDIS);
    if (emissions.length === 0) {
      throw new AppError('EMISSION_NOT_FOUND', 'no emission of this appointment is kept');
    }
    res.json({ success: true, appointmentId, emissions });
  });
  router.all('/emissions', allowOnly('GET', 'HEAD'));

  return router;
}

/** As `res.json` does, less what an answer that nobody caches has no use for: it is a tenth of this route's CPU. */
function sendAccepted(res: Response, reply: AcceptedReply | BatchReply): void {
  const text = JSON.stringify(reply);
  const headers = {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
  };
  res.writeHead(202, headers).end(text);
}

/** Body of a 202, here and on the `/internal` namespace. */
export function acceptedReply(
  { event, appointmentId }: EmissionRequest,
  emissionId: string,
  basePath = '',
): AcceptedReply {
  return {
    success: true,
    event,
    appointmentId,
    emissionId,
    statusUrl: `${basePath}${EMISSIONS_PATH}/emissions/${emissionId}`,
  };
}

/** One item of a batch: what is asked for, or why it can't be accepted. */
function judge(item: unknown): EmissionRequest | ErrorCode {
  if (typeof item !== 'object' || item === null) return 'INVALID_REQUEST';
  const { event, appointmentId } = item as Record<string, unknown>;
  if (!isAppointmentEvent(event)) return 'INVALID_EVENT';
  if (typeof appointmentId !== 'string' || !OBJECT_ID.test(appointmentId)) return 'INVALID_APPOINTMENT_ID';
  if (Object.keys(item).length > 2) return 'INVALID_REQUEST';
  return { event, appointmentId: appointmentId.toLowerCase() };
}

function idempotencyOf(req: Request, body: unknown) {
  return {
    keyFingerprint: String(req.res?.locals.keyFingerprint),
    idempotencyKey: req.get('Idempotency-Key'),
    body,
  };
}

/** Which request it is, for logs. A malformed traceparent is left out, as the specification has it. */
function requestOf(req: Request): Pick<RequestContext, 'traceparent' | 'requestId'> {
  const traceparent = req.get('traceparent');
  return {
    requestId: String(req.res?.locals.requestId),
    ...(traceparent !== undefined && TRACEPARENT.test(traceparent) && { traceparent }),
  };
}
