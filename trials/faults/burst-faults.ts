import { Agent, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { Answer } from '../chaos/shop.ts';
import { API_KEY } from '../../test/harness/world.ts';
import { MONGO_AWAY, REDIS_AWAY, type Scenario, type Stage } from './scenario.ts';
import { USUAL_PER_SECOND } from './usual-load.ts';

const TIMES = 100;
const TICK_MS = 20;
const CONNECTIONS = 100;
const ANSWER_WITHIN_MS = 3_000;
const NO_ANSWER = 'no answer';

export const BURST_FAULTS: readonly Scenario[] = [
  {
    fault: `A burst of ${TIMES} times the usual load (${TIMES * USUAL_PER_SECOND} a second for 30 s)`,
    answers: [MONGO_AWAY, REDIS_AWAY, '429 RATE_LIMITED', '503 QUEUE_FULL'],
    seen: 'Screens hear later while it lasts.',
    appointments: 200,
    lastsMs: 0,
    recoversWithinMs: 60_000,
    async inflict(stage) {
      await burst(stage);
      return () => undefined;
    },
  },
];

/** Calls at an even rate, whether they are answered or not; each once. */
async function burst({ arena: { fleet, ledger, shop }, onAnswer, burstSeconds }: Stage): Promise<void> {
  const url = `${fleet.gateways[0]!.process!.url}/api/v1/internal/socket/appointment-updated`;
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const began = Date.now();
  const calls: Promise<void>[] = [];
  async function call(): Promise<void> {
    const appointmentId = shop.appointmentIds[calls.length % shop.appointmentIds.length];
    const { answer, emissionId } = await callOnce(url, { appointmentId }, agent);
    onAnswer(answer);
    if (emissionId !== undefined) ledger.accepted(emissionId);
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

/** Timed from when it has a connection: what waits for one waits on our side. */
function callOnce(url: string, body: object, agent: Agent): Promise<{ answer: Answer; emissionId?: string }> {
  return new Promise((resolve) => {
    let at = Date.now();
    const answer = (brought: string, retryAfter = false) => ({
      at,
      url,
      tookMs: Date.now() - at,
      brought,
      retryAfter,
    });
    const headers = { 'content-type': 'application/json', 'x-api-key': API_KEY };
    const sent = request(url, { method: 'POST', agent, headers }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => {
        const { emissionId, code } = JSON.parse(text) as { emissionId?: string; code?: string };
        const brought = [response.statusCode, code].filter(Boolean).join(' ');
        resolve({
          answer: answer(brought, response.headers['retry-after'] !== undefined),
          ...(emissionId !== undefined && { emissionId }),
        });
      });
    });
    sent.on('socket', () => (at = Date.now()));
    sent.on('error', ({ message }) => {
      resolve({ answer: answer(message === NO_ANSWER ? NO_ANSWER : 'no connection') });
    });
    sent.setTimeout(ANSWER_WITHIN_MS, () => sent.destroy(new Error(NO_ANSWER)));
    sent.end(JSON.stringify(body));
  });
}
