import type { OverviewReply, RepairReport, SeriesReply } from '@appointment-emissions/contracts';
import { BASE_PATH } from '../calendar/base-path.ts';

const API = `${BASE_PATH}/admin/api`;
const ANSWER_WITHIN_MS = 10_000;

/** The browser sends the operator's credentials along by itself. @throws Error in the API's words */
async function ask<T>(path: string, body?: object): Promise<T> {
  const response = await fetch(`${API}/${path}`, {
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    ...(body && {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  });
  const answer = (await response.json()) as T & { detail?: string };
  if (!response.ok) throw new Error(answer.detail ?? `the API answered ${response.status}`);
  return answer;
}

export const askOverview = () => ask<OverviewReply>('overview');
export const askSeries = () => ask<SeriesReply>('series');
export const askRetry = (emissionId: string) => ask<{ emissionId: string }>('retry', { emissionId });
export const askRepair = (repair: 'retry-failed' | 're-emit', request: object) =>
  ask<RepairReport>(repair, request);
