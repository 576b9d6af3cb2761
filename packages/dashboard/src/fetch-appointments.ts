import type { AppointmentList, AppointmentSnapshot, ProblemReply } from '@appointment-emissions/contracts';
import { type ApiAddressOptions, readApiAddress } from './api-address.ts';

const TIMEOUT_MS = 20_000;

/** Argument of {@link fetchAppointments}. `url` and `basePath` are those of `connectDashboard`. */
export interface FetchAppointmentsOptions extends ApiAddressOptions {
  /** JWT of the company whose appointments are listed. */
  token: string;
  /** Start of the range, inclusive: the list contains appointments with `from ≤ start < to`. */
  from: Date;
  /** End of the range, exclusive. At most 62 days after `from`. */
  to: Date;
}

/**
 * The API rejected a list request, or failed. Its message is the `detail` of the API's error reply.
 *
 * @example
 * ```ts
 * catch (error) {
 *   if (error instanceof ListError && error.status === 401) signInAgain();
 * }
 * ```
 */
export class ListError extends Error {
  override readonly name = 'ListError';
  /** HTTP status of the reply. */
  readonly status: number;
  /** Error code of the reply; undefined if the reply is not the API's, for example a proxy's. */
  readonly code: string | undefined;

  constructor(status: number, problem: Partial<ProblemReply>) {
    super(problem.detail ?? `the list request failed with status ${status}`);
    this.status = status;
    this.code = problem.code;
  }
}

/**
 * Loads the appointments of a company in a range of time: `GET /api/v1/dashboard/appointments`.
 *
 * @throws {@link ListError} if the API does not reply with a list, TypeError if `url` is not an address, or the error of `fetch` if
 * there is no reply within 20 s
 * @example
 * ```ts
 * const list = await fetchAppointments({
 *   url: 'https://api.example.com',
 *   token,
 *   from: new Date('2026-11-23T00:00:00Z'),
 *   to: new Date('2026-11-30T00:00:00Z'),
 * });
 * ```
 */
export async function fetchAppointments<A = AppointmentSnapshot>({
  token,
  from,
  to,
  ...address
}: FetchAppointmentsOptions): Promise<AppointmentList<A>> {
  const { origin, basePath } = readApiAddress(address);
  const route = new URL(`${origin}${basePath}/api/v1/dashboard/appointments`);
  route.searchParams.set('from', from.toISOString());
  route.searchParams.set('to', to.toISOString());
  const reply = await fetch(route, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!reply.ok)
    throw new ListError(reply.status, (await reply.json().catch(() => ({}))) as Partial<ProblemReply>);
  return (await reply.json()) as AppointmentList<A>;
}
