import { Agent, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { CallResult } from '../chaos/workload.ts';
import { API_KEY } from '../../test/harness/world.ts';
import { MONGO_UNAVAILABLE, REDIS_UNAVAILABLE, type Scenario, type InjectContext } from './scenario.ts';
import { USUAL_PER_SECOND } from './usual-load.ts';

const TIMES = 100;
const TICK_MS = 20;
const CONNECTIONS = 100;
const RESPONSE_TIMEOUT_MS = 3_000;
const NO_ANSWER = 'no response';

export const BURST_FAULTS: readonly Scenario[] = [
  {
    fault: `A burst of ${TIMES} times the usual load (${TIMES * USUAL_PER_SECOND} a second for 30 s)`,
    allowedOutcomes: [MONGO_UNAVAILABLE, REDIS_UNAVAILABLE, '429 RATE_LIMITED', '503 QUEUE_FULL'],
    effect: 'Events are late.',
    appointments: 200,
    minDurationMs: 0,
    maxRecoveryMs: 60_000,
    async inject(stage) {
      await burst(stage);
      return () => undefined;
    },
  },
];

/** Calls at a steady rate in an open loop, without retries. */
async function burst({
  testbed: { fleet, ledger, workload },
  onCallResult,
  burstSeconds,
}: InjectContext): Promise<void> {
  const url = `${fleet.gateways[0]!.process!.url}/api/v1/internal/socket/appointment-updated`;
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const began = Date.now();
  const calls: Promise<void>[] = [];
  async function call(): Promise<void> {
    const appointmentId = workload.appointmentIds[calls.length % workload.appointmentIds.length];
    const { answer, emissionId } = await callOnce(url, { appointmentId }, agent);
    onCallResult(answer);
    if (emissionId !== undefined) ledger.recordAccepted(emissionId);
  }
  for (;;) {
    const passedMs = Date.now() - began;
    if (passedMs >= burstSeconds * 1_000) break;
    const due = (passedMs / 1_000) * TIMES * USUAL_PER_SECOND;
    while (calls.length < due) calls.push(call());
    await pause(TICK_MS);
  }
  await Promise.all(calls);
  agent.destroy();
}

/** The duration is counted from the moment the call has a connection: waiting for one is a limit of the test's agent. */
function callOnce(
  url: string,
  body: object,
  agent: Agent,
): Promise<{ answer: CallResult; emissionId?: string }> {
  return new Promise((resolve) => {
    let at = Date.now();
    const answer = (outcome: string, hasRetryAfter = false) => ({
      at,
      url,
      durationMs: Date.now() - at,
      outcome,
      hasRetryAfter,
    });
    const headers = { 'content-type': 'application/json', 'x-api-key': API_KEY };
    const sent = request(url, { method: 'POST', agent, headers }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => {
        const { emissionId, code } = JSON.parse(text) as { emissionId?: string; code?: string };
        const outcome = [response.statusCode, code].filter(Boolean).join(' ');
        resolve({
          answer: answer(outcome, response.headers['retry-after'] !== undefined),
          ...(emissionId !== undefined && { emissionId }),
        });
      });
    });
    sent.on('socket', () => (at = Date.now()));
    sent.on('error', ({ message }) => {
      resolve({ answer: answer(message === NO_ANSWER ? NO_ANSWER : 'no connection') });
    });
    sent.setTimeout(RESPONSE_TIMEOUT_MS, () => sent.destroy(new Error(NO_ANSWER)));
    sent.end(JSON.stringify(body));
  });
}
