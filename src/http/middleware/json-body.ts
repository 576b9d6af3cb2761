import express, { type RequestHandler } from 'express';
import { AppError } from '../../errors.ts';

/** The content types that nearly all clients send; they need no parsing. */
const USUAL = new Set([
  'application/json',
  'application/json; charset=utf-8',
  'application/json;charset=utf-8',
]);

/** Reads a JSON object of at most `limit` bytes. Nothing is inflated; another type of content is 415. */
export function jsonBody(limit: number): RequestHandler[] {
  const refuseOthers: RequestHandler = (req, _res, next) => {
    if (USUAL.has(req.headers['content-type'] ?? '')) {
      next();
      return;
    }
    const hasBody =
      req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length'] ?? 0) > 0;
    // body-parser accepts every Unicode charset, UTF-7 too.
    const [, charset] = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(req.get('content-type') ?? '') ?? [];
    const isUtf8 = charset === undefined || charset.toLowerCase() === 'utf-8';
    if (hasBody && !(req.is('application/json') && isUtf8)) {
      throw new AppError('UNSUPPORTED_MEDIA_TYPE', 'the body must have the type application/json, in UTF-8');
    }
    next();
  };
  const refuseNonObjects: RequestHandler = (req, _res, next) => {
    const given: unknown = req.body;
    if (given === undefined) req.body = {};
    else if (typeof given !== 'object' || given === null || Array.isArray(given)) {
      throw new AppError('INVALID_REQUEST', 'the body must be a JSON object');
    }
    next();
  };
  return [refuseOthers, express.json({ limit, inflate: false, strict: true }), refuseNonObjects];
}
