import type { RequestHandler } from 'express';
import { body, query, type ValidationChain, validationResult } from 'express-validator';
import {
  APPOINTMENT_DELETED,
  type AppointmentEvent,
  type ProblemReply,
} from '@appointment-emissions/contracts';
import { isHexId } from '../../domain/to-hex-id.ts';
import type { ErrorCode } from '../../errors.ts';
import { problem, sendProblem } from '../problem.ts';

export const MAX_BATCH_ITEMS = 1_000;

/** Codes of invalid fields. Any other finding is an INVALID_REQUEST. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  appointmentId: 'INVALID_APPOINTMENT_ID',
  companyId: 'INVALID_COMPANY_ID',
};

const APPOINTMENT_ID = idOf('appointmentId', 'the id of the appointment');
const COMPANY_ID = idOf('companyId', 'the company that the appointment belonged to');
const SINGLE_BODY = [APPOINTMENT_ID, nothingBut('appointmentId')];
const DELETION_BODY = [APPOINTMENT_ID, COMPANY_ID, nothingBut('appointmentId', 'companyId')];

/** An id in the body. A valid one costs no chain. */
function idOf(field: string, meaning: string): Check {
  const chain = body(field).custom((value: unknown) => {
    if (value === undefined || value === null) throw new Error(`is required: ${meaning}`);
    if (isHexId(value)) return true;
    throw new Error('must be a string of 24 hexadecimal characters');
  });
  return unless((given) => isHexId((given as Record<string, unknown>)[field]), chain);
}

const bodyOf = (event: AppointmentEvent) => (event === APPOINTMENT_DELETED ? DELETION_BODY : SINGLE_BODY);

/** Body of an event's route: the appointment's id, for a deletion also the company's, and nothing else. */
export const singleBody = (event: AppointmentEvent): readonly RequestHandler[] => validate(bodyOf(event));

/** The same check without HTTP. Returns the problem of an invalid body, else undefined. */
export async function refuseSingle(
  event: AppointmentEvent,
  given: object,
): Promise<ProblemReply | undefined> {
  const req = { body: given };
  for (const chain of bodyOf(event)) await chain.run(req);
  return refusal(req);
}

/** Query of the timelines of an appointment. */
export const appointmentQuery: readonly RequestHandler[] = validate([
  query('appointmentId').custom(isHexId).withMessage('must be one id of 24 hexadecimal characters'),
]);

/** Body of the batch route. The route parses each item. */
export const batchBody: readonly RequestHandler[] = validate([
  body('emissions')
    .custom((value: unknown) => Array.isArray(value) && value.length >= 1 && value.length <= MAX_BATCH_ITEMS)
    .withMessage(
      `must be an array of 1 to ${MAX_BATCH_ITEMS} items like {"event": "appointment:created", "appointmentId": "…"}`,
    ),
  nothingBut('emissions'),
]);

/** What validate() takes: a chain, or what runs one where it is needed. */
type Check = RequestHandler & { run: (req: { body?: unknown }) => Promise<unknown> };

/** Refuses unknown fields (checkExact does so too, but walks every item of a batch). */
function nothingBut(...names: readonly string[]): Check {
  const isAlone = (given: object) => Object.keys(given).every((key) => names.includes(key));
  const chain = body()
    .custom(isAlone)
    .withMessage(`may have only the fields ${names.join(', ')}`);
  return unless(isAlone, chain);
}

/** Runs the chain of express-validator only for a body that is not valid: it reports what is wrong. */
function unless(isValid: (given: object) => boolean, chain: ValidationChain): Check {
  const handler: RequestHandler = (req, res, next) => {
    if (isValid(req.body as object)) next();
    else chain(req, res, next);
  };
  return Object.assign(handler, {
    run: async (req: { body?: unknown }) => (isValid(req.body as object) ? undefined : chain.run(req)),
  });
}

function validate(chains: readonly Check[]): RequestHandler[] {
  const answer: RequestHandler = (req, res, next) => {
    const refused = refusal(req);
    if (refused) sendProblem(res, refused);
    else next();
  };
  return [...chains, answer];
}

function refusal(req: object): ProblemReply | undefined {
  const findings = validationResult(req).array();
  const [first] = findings;
  if (!first) return undefined;
  // Without `value`: an answer never repeats what was sent.
  const errors = findings.map((finding) => ({
    type: finding.type,
    ...(finding.type === 'field' && { path: finding.path, location: finding.location }),
    msg: String(finding.msg),
  }));
  const field = first.type === 'field' ? first.path : '';
  const code = CODES[field] ?? 'INVALID_REQUEST';
  return problem(code, `${field || 'the body'} ${String(first.msg)}`, errors);
}
