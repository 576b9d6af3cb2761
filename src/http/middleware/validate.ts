import type { RequestHandler } from 'express';
import { body, query, validationResult } from 'express-validator';
import { OBJECT_ID, type ProblemReply } from '@appointment-emissions/contracts';
import type { ErrorCode } from '../../errors.ts';
import { problem, sendProblem } from '../problem.ts';

export const MAX_BATCH_ITEMS = 1_000;

const SINGLE_BODY = [body('appointmentId').custom(isAppointmentId), nothingBut('appointmentId')];

/** One check: each link of a chain is awaited. */
function isAppointmentId(value: unknown): boolean {
  if (value === undefined || value === null) throw new Error('is required: the id of the appointment');
  if (typeof value === 'string' && OBJECT_ID.test(value)) return true;
  throw new Error('must be a string of 24 hexadecimal characters');
}

/** Body of the single routes: an appointment's id and nothing else. */
export const singleBody: readonly RequestHandler[] = validate('INVALID_APPOINTMENT_ID', SINGLE_BODY);

/** The same check without HTTP: what is wrong with such a body, if anything is. */
export async function refuseSingle(given: object): Promise<ProblemReply | undefined> {
  const req = { body: given };
  for (const chain of SINGLE_BODY) await chain.run(req);
  return refusal('INVALID_APPOINTMENT_ID', req);
}

/** Query of the timelines of an appointment. */
export const appointmentQuery: readonly RequestHandler[] = validate('INVALID_APPOINTMENT_ID', [
  query('appointmentId')
    .custom((value: unknown) => typeof value === 'string' && OBJECT_ID.test(value))
    .withMessage('must be given once: 24 hexadecimal characters'),
]);

/** Body of the batch route; its items are judged one by one later. */
export const batchBody: readonly RequestHandler[] = validate('INVALID_REQUEST', [
  body('emissions')
    .custom((value: unknown) => Array.isArray(value) && value.length >= 1 && value.length <= MAX_BATCH_ITEMS)
    .withMessage(
      `must be an array of 1 to ${MAX_BATCH_ITEMS} items like {"event": "appointment:created", "appointmentId": "…"}`,
    ),
  nothingBut('emissions'),
]);

/** What validate() takes: a chain, or what runs one where it is needed. */
type Check = RequestHandler & { run: (req: { body?: unknown }) => Promise<unknown> };

/** Refuses unknown fields (checkExact does so too, but walks every item of a batch). Without one it costs no chain. */
function nothingBut(name: string): Check {
  const isAlone = (given: unknown) => Object.keys(given as object).every((key) => key === name);
  const chain = body().custom(isAlone).withMessage(`may have no other field than ${name}`);
  const handler: RequestHandler = (req, res, next) => {
    if (isAlone(req.body)) next();
    else chain(req, res, next);
  };
  return Object.assign(handler, {
    run: async (req: { body?: unknown }) => (isAlone(req.body) ? undefined : chain.run(req)),
  });
}

function validate(code: ErrorCode, chains: readonly Check[]): RequestHandler[] {
  const answer: RequestHandler = (req, res, next) => {
    const refused = refusal(code, req);
    if (refused) sendProblem(res, refused);
    else next();
  };
  return [...chains, answer];
}

function refusal(code: ErrorCode, req: object): ProblemReply | undefined {
  const findings = validationResult(req).array();
  const [first] = findings;
  if (!first) return undefined;
  // Without `value`: an answer never repeats what was sent.
  const errors = findings.map((finding) => ({
    type: finding.type,
    ...(finding.type === 'field' && { path: finding.path, location: finding.location }),
    msg: String(finding.msg),
  }));
  const isNamed = first.type === 'field' && first.path !== '';
  const what = isNamed ? first.path : 'the body';
  return problem(isNamed ? code : 'INVALID_REQUEST', `${what} ${String(first.msg)}`, errors);
}
