import type { RequestHandler } from 'express';
import { body, query, type ValidationChain, validationResult } from 'express-validator';
import { OBJECT_ID } from '../contracts/names.ts';
import type { ErrorCode } from '../errors.ts';
import { problem, sendProblem } from './problem.ts';

export const MOST_BATCH_ITEMS = 1_000;

/** Body of the single routes: an appointment's id and nothing else. */
export const singleBody: readonly RequestHandler[] = validate('INVALID_APPOINTMENT_ID', [
  body('appointmentId')
    .exists({ values: 'null' })
    .withMessage('is required: the id of the appointment')
    .bail()
    .custom((value: unknown) => typeof value === 'string' && OBJECT_ID.test(value))
    .withMessage('must be a string of 24 hexadecimal characters'),
  nothingBut('appointmentId'),
]);

/** Query of the timelines of an appointment. */
export const appointmentQuery: readonly RequestHandler[] = validate('INVALID_APPOINTMENT_ID', [
  query('appointmentId')
    .custom((value: unknown) => typeof value === 'string' && OBJECT_ID.test(value))
    .withMessage('must be given once: 24 hexadecimal characters'),
]);

/** Body of the batch route; its items are judged one by one later. */
export const batchBody: readonly RequestHandler[] = validate('INVALID_REQUEST', [
  body('emissions')
    .custom((value: unknown) => Array.isArray(value) && value.length >= 1 && value.length <= MOST_BATCH_ITEMS)
    .withMessage(
      `must be an array of 1 to ${MOST_BATCH_ITEMS} items like {"event": "appointment:created", "appointmentId": "…"}`,
    ),
  nothingBut('emissions'),
]);

/** Refuses unknown fields (checkExact does so too, but walks every item of a batch). */
function nothingBut(name: string): ValidationChain {
  return body()
    .custom((given: object) => Object.keys(given).every((key) => key === name))
    .withMessage(`may have no other field than ${name}`);
}

function validate(code: ErrorCode, chains: ValidationChain[]): RequestHandler[] {
  const answer: RequestHandler = (req, res, next) => {
    const findings = validationResult(req).array();
    const [first] = findings;
    if (!first) {
      next();
      return;
    }
    // Without `value`: an answer never repeats what was sent.
    const errors = findings.map((finding) => ({
      type: finding.type,
      ...(finding.type === 'field' && { path: finding.path, location: finding.location }),
      msg: String(finding.msg),
    }));
    const path = first.type === 'field' && first.path !== '' ? first.path : 'the body';
    const named = first.type === 'field' && first.path !== '';
    sendProblem(res, problem(named ? code : 'INVALID_REQUEST', `${path} ${String(first.msg)}`, errors));
  };
  return [...chains, answer];
}
