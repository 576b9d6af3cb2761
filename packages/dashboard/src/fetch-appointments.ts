import type { AppointmentList, ProblemReply } from '@appointment-emissions/contracts';
import { type ApiAddressOptions, readApiAddress } from './api-address.ts';

/** `url` and `basePath` are those of `connectDashboard`. */
export interface ListRequest extends ApiAddressOptions {
  token: string;
  /** `from ≤ start < to`, at most 62 days apart. */
  from: Date;
  to: Date;
}

/** The list route refused, or its server failed. */
export class ListError extends Error {
  override readonly name = 'ListError';
  readonly status: number;
  /** The problem's `code`; undefined where something else than our API answered. */
  readonly code: string | undefined;

  constructor(status: number, problem: Partial<ProblemReply>) {
    super(problem.detail ?? `the list route answered ${status}`);
    this.status = status;
    this.code = problem.code;
  }
}

/**
 * `GET /api/v1/dashboard/appointments`. Rejects with a ListError, with a TypeError if `url` is no address, or with fetch's
 * error if there is no answer.
 */
export async function fetchAppointments({
  token,
  from,
  to,
  ...address
}: ListRequest): Promise<AppointmentList> {
  const { origin, basePath } = readApiAddress(address);
  const route = new URL(`${origin}${basePath}/api/v1/dashboard/appointments`);
  route.searchParams.set('from', from.toISOString());
  route.searchParams.set('to', to.toISOString());
  const reply = await fetch(route, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(LONGEST_MS),
  });
  if (!reply.ok)
    throw new ListError(reply.status, (await reply.json().catch(() => ({}))) as Partial<ProblemReply>);
  return (await reply.json()) as AppointmentList;
}

const LONGEST_MS = 20_000;
