import type { IncomingMessage } from 'node:http';
import { type Request, Router } from 'express';
import { type AppointmentList, type Id, LAST_INSTANT, parseInstant } from '@appointment-emissions/contracts';
import { coalesce } from '../../batching.ts';
import { AppError } from '../../errors.ts';

export interface CompanyRange {
  companyId: Id;
  /** ms since the epoch; `from ≤ start < to`. */
  from: number;
  to: number;
}

/** Names the company whose list a request gets. @throws AppError TOKEN_INVALID if it is not authenticated */
export type CompanyOfRequest = (request: Request) => Promise<Id>;

export interface DashboardRoutesDeps {
  companyOf: CompanyOfRequest;
  list: (request: CompanyRange) => Promise<AppointmentList>;
}

const DAY_MS = 24 * 3_600_000;
const MAX_RANGE_MS = 62 * DAY_MS;
const LISTS_IN_FLIGHT = 8;

/** `GET /appointments?from=…&to=…`: the company's appointments as confirmed snapshots, and the stream position to connect with. */
export function createDashboardRoutes({ companyOf, list }: DashboardRoutesDeps): Router {
  const router = Router();

  // Dashboards that reload together ask for the same list: one read serves all requests that arrive before it starts.
  const shared = coalesce<CompanyRange, () => Promise<AppointmentList>>({
    run: (requests) => {
      const reads = new Map<string, Promise<AppointmentList>>();
      return Promise.all(
        requests.map(async (request) => {
          const key = JSON.stringify(request);
          const read = reads.get(key) ?? list(request);
          reads.set(key, read);
          await read.catch(() => undefined);
          return () => read;
        }),
      );
    },
    maxBatch: 1_000,
    maxInFlight: LISTS_IN_FLIGHT,
  });

  router.get('/appointments', async (req, res) => {
    const companyId = await companyOf(req);
    const range = readRange(req.query, Date.now());
    const read = await shared({ companyId, ...range });
    res.set('Cache-Control', 'no-store').json(await read());
  });
  return router;
}

/** The company of the bearer token. @param verify  throws AppError TOKEN_INVALID */
export function companyOfToken(
  verify: (token: unknown, request: IncomingMessage) => Promise<{ companyId: Id }>,
): CompanyOfRequest {
  return async (request) => {
    const [scheme = '', token = ''] = (request.get('authorization') ?? '').split(' ');
    const { companyId } = await verify(scheme.toLowerCase() === 'bearer' ? token : '', request);
    return companyId;
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
      `${name} must be given once, as a date that exists or a date and time with its offset, in ISO 8601 and in a ` +
        'year from 1970 to 9999, such as 2026-11-23T00:00:00Z; in a URL write the + of an offset as %2B',
    );
  }
  return time;
}
