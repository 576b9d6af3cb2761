import type { OverviewReply, RepairReport, SeriesReply } from '@appointment-emissions/contracts';
import { BASE_PATH } from '../shared/base-path.ts';

const API = `${BASE_PATH}/admin/api`;
const TIMEOUT_MS = 10_000;

/** Calls the operator's API. The browser adds the credentials. @throws Error with the message of the API's error */
async function callApi<T>(path: string, body?: object): Promise<T> {
  const response = await fetch(`${API}/${path}`, {
    signal: AbortSignal.timeout(TIMEOUT_MS),
    ...(body && {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  });
  const reply = (await response.json()) as T & { detail?: string };
  if (!response.ok) throw new Error(reply.detail ?? `the API replied with status ${response.status}`);
  return reply;
}

export const fetchOverview = () => callApi<OverviewReply>('overview');
export const fetchSeries = () => callApi<SeriesReply>('series');
export const sendRetry = (emissionId: string) => callApi<{ emissionId: string }>('retry', { emissionId });
export const sendRepair = (repair: 'retry-failed' | 're-emit', request: object) =>
  callApi<RepairReport>(repair, request);
