import type { IncomingMessage } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Request, type Response, Router } from 'express';
import { type AppointmentList, type Id, LAST_INSTANT, parseInstant } from '@appointment-emissions/contracts';
import type { CompanyTurns } from '../../access/company-turns.ts';
import { chunks } from '../../batching.ts';
import type { ViewerScope } from '../../domain/scope.ts';
import { AppError } from '../../errors.ts';

export interface ListViewer {
  companyId: Id;
  /** Undefined for the whole company. */
  scope?: ViewerScope | undefined;
}

export interface CompanyRange extends ListViewer {
  /** ms since the epoch; `from ≤ start < to`. */
  from: number;
  to: number;
}

/**
 * Names the company whose list a request gets, and what of it. @throws AppError TOKEN_INVALID if the request is not authenticated,
 * SCOPE_INVALID if its scope cannot be read
 */
export type ViewerOfRequest = (request: Request) => Promise<ListViewer>;

export interface DashboardRoutesDeps {
  viewerOf: ViewerOfRequest;
  list: (request: CompanyRange) => Promise<AppointmentList>;
  turns: Pick<CompanyTurns, 'read' | 'piece'>;
}

const DAY_MS = 24 * 3_600_000;
const MAX_RANGE_MS = 62 * DAY_MS;
const APPOINTMENTS_PER_PIECE = 100;

/** `GET /appointments?from=…&to=…`: the company's appointments in the viewer's scope as confirmed snapshots, and the stream position to connect with. */
export function createDashboardRoutes({ viewerOf, list, turns }: DashboardRoutesDeps): Router {
  const router = Router();
  const read = createSharedReads(
    async (request) => encodeList(await list(request), request.companyId, turns),
    turns,
  );

  router.get('/appointments', async (req, res) => {
    const { companyId, scope } = await viewerOf(req);
    const range = readRange(req.query, Date.now());
    const body = await read({ companyId, scope, ...range }, res);
    if (!body) return;
    res.set('Cache-Control', 'no-store').type('json').send(body);
  });
  return router;
}

/**
 * Dashboards that reload together request the same list: one read serves all equal requests that arrive before it starts. So a
 * result is never older than its request. The result is undefined if all that requested it have disconnected before it started:
 * nothing is read then.
 */
function createSharedReads(
  read: (request: CompanyRange) => Promise<Buffer>,
  turns: DashboardRoutesDeps['turns'],
): (request: CompanyRange, res: Response) => Promise<Buffer | undefined> {
  const waiting = new Map<string, { result: Promise<Buffer | undefined>; responses: Response[] }>();
  return async (request, res) => {
    const key = JSON.stringify(request);
    let shared = waiting.get(key);
    if (!shared) {
      const responses: Response[] = [];
      const result = turns.read('list', request.companyId, async () => {
        // Requests that arrive in the same turn of the event loop share the read too.
        await nextTurn();
        waiting.delete(key);
        return responses.every(({ destroyed }) => destroyed) ? undefined : read(request);
      });
      shared = { result, responses };
      waiting.set(key, shared);
    }
    shared.responses.push(res);
    try {
      return await shared.result;
    } finally {
      if (waiting.get(key) === shared) waiting.delete(key);
    }
  };
}

/** Encodes a list once for all that requested it, in pieces: one of 5,000 appointments takes 20 ms. */
async function encodeList(
  { appointments, ...position }: AppointmentList,
  companyId: Id,
  turns: DashboardRoutesDeps['turns'],
): Promise<Buffer> {
  const pieces = [Buffer.from(`${JSON.stringify(position).slice(0, -1)},"appointments":[`)];
  for (const chunk of chunks(appointments, APPOINTMENTS_PER_PIECE)) {
    const separator = pieces.length > 1 ? ',' : '';
    pieces.push(
      await turns.piece('list', companyId, () => Buffer.from(separator + JSON.stringify(chunk).slice(1, -1))),
    );
  }
  return Buffer.concat([...pieces, Buffer.from(']}')]);
}

/** The company and the scope of the bearer token. @param verify  throws AppError TOKEN_INVALID, SCOPE_INVALID */
export function viewerOfToken(
  verify: (token: unknown, request: IncomingMessage) => Promise<ListViewer>,
): ViewerOfRequest {
  return async (request) => {
    const [scheme = '', token = ''] = (request.get('authorization') ?? '').split(' ');
    return verify(scheme.toLowerCase() === 'bearer' ? token : '', request);
  };
}

function readRange(query: Record<string, unknown>, now: number): { from: number; to: number } {
  const today = now - (now % DAY_MS);
  const from = instant('from', query.from) ?? today - 7 * DAY_MS;
  const eightDaysOn = (query.from === undefined ? today : from) + 8 * DAY_MS;
  const to = instant('to', query.to) ?? Math.min(eightDaysOn, LAST_INSTANT);
  if (to <= from) throw new AppError('INVALID_RANGE', 'to must be later than from');
  if (to - from > MAX_RANGE_MS)
    throw new AppError('INVALID_RANGE', 'from and to may be at most 62 days apart');
  return { from, to };
}

function instant(name: string, value: unknown): number | undefined {
  if (value === undefined) return undefined;
  const time = typeof value === 'string' ? parseInstant(value) : undefined;
  if (time === undefined) {
    throw new AppError(
      'INVALID_RANGE',
      `${name} must be one date, or one date and time with its offset, in ISO 8601 and from 1970 to 9999, such as ` +
        '2026-11-23T00:00:00Z; in a URL, write the + of an offset as %2B',
    );
  }
  return time;
}
