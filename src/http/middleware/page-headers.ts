import type { RequestHandler } from 'express';
import helmet from 'helmet';

type Directives = Record<string, Iterable<string>>;

const NOTHING_FROM_ELSEWHERE: Directives = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'", 'data:'],
  fontSrc: ["'self'"],
  connectSrc: ["'self'"],
  formAction: ["'self'"],
  baseUri: ["'none'"],
  frameAncestors: ["'none'"],
};

/** Our own pages: they load nothing from elsewhere and hold no inline script or style. */
export function ownPageHeaders(connectOrigins: readonly string[]): RequestHandler {
  return headers({ ...NOTHING_FROM_ELSEWHERE, connectSrc: ["'self'", ...connectOrigins] });
}

/** Bull Board needs inline styles and its `<base href>`. Its web fonts stay blocked: it works without them. */
export function bullBoardHeaders(): RequestHandler {
  return headers({
    ...NOTHING_FROM_ELSEWHERE,
    styleSrc: ["'self'", "'unsafe-inline'"],
    baseUri: ["'self'"],
  });
}

function headers(directives: Directives): RequestHandler {
  return helmet({
    contentSecurityPolicy: { useDefaults: false, directives },
    strictTransportSecurity: false,
  }) as RequestHandler;
}
