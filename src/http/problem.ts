import type { ErrorRequestHandler, Response } from 'express';
import { STATUS_CODES } from 'node:http';
import type { ProblemReply } from '@appointment-emissions/contracts';
import { AppError, type ErrorCode, ERROR_CODES } from '../errors.ts';
import { sendErrorPage } from './error-page.ts';
import { isMongoError, isUnavailable } from '../process/unavailable.ts';
import { routeOf } from './middleware/log-requests.ts';

/** Body of an error, as in RFC 9457. Never contains what was sent, nor messages of the database or of Redis. */
export function problem(code: ErrorCode, detail: string, errors?: unknown[]): ProblemReply {
  const status = ERROR_CODES[code];
  return {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail,
    success: false,
    code,
    error: { code, message: detail },
    ...(errors && { errors }),
  };
}

/** Answers with an error: as JSON, or as a page for a browser, see error-page.ts. */
export function sendProblem(res: Response, body: ProblemReply, retryAfterSeconds?: number): void {
  if (retryAfterSeconds !== undefined) res.set('Retry-After', String(retryAfterSeconds));
  res.locals.problem = body;
  if (sendErrorPage(res, body)) return;
  res.status(body.status).type('application/problem+json').send(JSON.stringify(body));
}

/** Called with the cause of a server error. `isEmission`: the request was for an emission, so its log line must say so. */
export type OnFault = (error: unknown, request: { route: string | undefined; isEmission: boolean }) => void;

/** Last in the chain: answers errors, and reports server errors to `onFault`. */
export function createErrorHandler(onFault: OnFault): ErrorRequestHandler {
  return (thrown: unknown, req, res, next) => {
    if (res.headersSent) {
      next(thrown);
      return;
    }
    const error = toAppError(thrown);
    if (error.status >= 500) {
      onFault(error.cause ?? thrown, { route: routeOf(req), isEmission: res.locals.isEmission === true });
    }
    sendProblem(res, problem(error.code, error.message), error.retryAfterSeconds);
  };
}

/** Translates anything thrown. Errors of body-parser and Express are recognized by `type` or `status`. */
export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  const { type, status } = (typeof thrown === 'object' && thrown !== null ? thrown : {}) as {
    type?: string;
    status?: number;
  };
  if (type === 'entity.parse.failed') return new AppError('MALFORMED_JSON', 'the body is not valid JSON');
  if (status === 413) return new AppError('PAYLOAD_TOO_LARGE', 'the body is larger than this route accepts');
  if (status === 415) {
    return new AppError(
      'UNSUPPORTED_MEDIA_TYPE',
      'the body must be uncompressed JSON in UTF-8, with the type application/json',
    );
  }
  if (status !== undefined && status >= 400 && status < 500) {
    return new AppError(
      'INVALID_REQUEST',
      'the request is malformed: check its path, its headers and their encoding',
    );
  }
  if (isMongoError(thrown, 'MongoError')) {
    return new AppError('DATABASE_ERROR', 'the database did not answer in time', { cause: thrown });
  }
  if (isUnavailable(thrown)) {
    return new AppError('QUEUE_UNAVAILABLE', 'Redis does not answer; retry in a moment', {
      cause: thrown,
      retryAfterSeconds: 1,
    });
  }
  return new AppError('INTERNAL_ERROR', 'unexpected error: see the log of the server', {
    cause: thrown,
  });
}
