import type { Express, Request, RequestHandler, Response } from 'express';
import type { ProblemReply } from '@appointment-emissions/contracts';
import type { ErrorCode } from '../errors.ts';
import { ownPageHeaders } from './middleware/page-headers.ts';

/** A page of this server that an error page links to. Its path is below the base path. */
interface PageLink {
  path: string;
  text: string;
}

interface ErrorPageOptions {
  /** As browsers see it. The stylesheets are below it. */
  basePath: string;
  links: readonly PageLink[];
}

/** Where the options are found: `app.locals` for a whole application, `res.locals` for the routes of a router. */
interface Locals {
  errorPages?: ErrorPageOptions;
}

/** Lets all errors of an application be pages for browsers. Programs receive `application/problem+json`. */
export function offerErrorPages(app: Express, options: ErrorPageOptions): void {
  (app.locals as Locals).errorPages = options;
}

/** The same for the routes that follow in a router. */
export function offerErrorPagesBelow(options: ErrorPageOptions): RequestHandler {
  return (_req, res, next) => {
    (res.locals as Locals).errorPages = options;
    next();
  };
}

const setHeaders = ownPageHeaders([]);

/** Sends the error as a page, if the request comes from a browser's address bar. Returns whether it did. */
export function sendErrorPage(res: Response, body: ProblemReply): boolean {
  const { req } = res;
  const errorPages = (res.locals as Locals).errorPages ?? (req.app.locals as Locals).errorPages;
  if (errorPages === undefined || !isPageRequest(req)) return false;
  // A cache must not give the page to a program, nor JSON to a browser.
  res.vary('Accept');
  if (!prefersPage(req)) return false;
  setHeaders(req, res, () => {
    res.status(body.status).type('html').send(renderErrorPage(body, errorPages));
  });
  return true;
}

/** A browser opens a page by GET, and adds neither a key nor a token. */
function isPageRequest(req: Request): boolean {
  const isProgram = req.get('x-api-key') !== undefined || /^bearer /i.test(req.get('authorization') ?? '');
  return (req.method === 'GET' || req.method === 'HEAD') && !isProgram;
}

/** Whether `Accept` ranks HTML above JSON. A header that accepts anything, or is missing, does not. */
function prefersPage(req: Request): boolean {
  return req.accepts(['application/problem+json', 'application/json', 'text/html']) === 'text/html';
}

function renderErrorPage({ status, title, code, detail }: ProblemReply, pages: ErrorPageOptions): string {
  const { basePath, links } = pages;
  const heading = `${status} ${escapeHtml(title)}`;
  const items = links.map(
    ({ path, text }) => `<a href="${escapeHtml(basePath + path)}">${escapeHtml(text)}</a>`,
  );
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <meta name="robots" content="noindex" />
    <title>${heading}</title>
    <link rel="icon" href="${escapeHtml(basePath)}/icon.svg" type="image/svg+xml" />
    <link rel="stylesheet" href="${escapeHtml(basePath)}/base.css" />
    <link rel="stylesheet" href="${escapeHtml(basePath)}/error.css" />
  </head>
  <body>
    <main>
      <h1>${heading}</h1>
      <p class="what">${escapeHtml(CAUSES[code as ErrorCode] ?? toSentence(detail))}</p>
      <p>${escapeHtml(adviceFor(code as ErrorCode, status))}</p>
      <nav aria-label="Pages of this server">${items.join(' ')}</nav>
      <p class="quiet">Error code <code>${escapeHtml(code)}</code></p>
    </main>
  </body>
</html>
`;
}

/** In place of the detail, which is for programs. */
const CAUSES: Partial<Record<ErrorCode, string>> = {
  ROUTE_NOT_FOUND: 'There is no page at this address.',
  ADMIN_AUTH_REQUIRED: 'This page is for operators, and you are not signed in.',
};

const ADVICE: Partial<Record<ErrorCode, string>> = {
  ROUTE_NOT_FOUND: 'Check the address, or go to one of these pages.',
  METHOD_NOT_ALLOWED: 'This address is for programs, which use another method.',
  ADMIN_AUTH_REQUIRED: 'Reload this page, and sign in with the name and the password of an operator.',
  API_KEY_MISSING: 'This address is for programs, which send a key in the header x-api-key.',
  TOKEN_INVALID:
    'This address is for dashboards, which send the token of a signed-in user. Open the dashboard.',
  RATE_LIMITED: 'Wait a minute, then reload this page.',
  TOKEN_KEYS_UNAVAILABLE:
    'Reload this page in a minute. If the error persists, the identity provider is not reachable.',
};

/** What a person can do about an error. */
function adviceFor(code: ErrorCode, status: number): string {
  const advice = ADVICE[code];
  if (advice !== undefined) return advice;
  return status >= 500
    ? 'Reload this page in a moment. If the error persists, /health shows operators which server is down.'
    : 'Check the address, or go to one of these pages.';
}

const toSentence = (text: string): string =>
  `${text.slice(0, 1).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}
