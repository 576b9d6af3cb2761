import { Agent, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { io } from 'socket.io-client';
import { signToken } from '../../test/harness/dashboard.ts';
import { quantile, sideBySide, type Measured } from '../harness/side-by-side.ts';
import { API_KEY, JWT_SECRET, type Stage } from '../harness/stage.ts';

const SINGLE = '/api/v1/internal/socket/appointment-updated';
/** Emissions a round; the first fifth warms up and is left out. */
const SECONDS = 8;
const WARM_UP = 0.2;
const GIVE_UP_MS = 20_000;

/** POST → dashboard at a steady rate: how long the event and the bot's reply take. */
export async function latency(stage: Stage, rounds: number, rate: number) {
  const inProcess = await stage.start('sides/in-process.ts');
  const api = await stage.start('sides/our-api.ts');
  const worker = await stage.start('sides/our-worker.ts');
  const results = new Map<string, Shot[]>();
  const sides = [
    { name: 'in-process', url: inProcess.ready.url, path: '/emit' },
    { name: 'ours', url: api.ready.url, path: SINGLE },
  ];
  const p50 = await sideBySide(
    sides.map((side) => ({
      name: side.name,
      round: async () => {
        const shots = await fireAtRate(stage, side.url, side.path, rate);
        results.set(side.name, [...(results.get(side.name) ?? []), shots]);
        return shots.event.p50;
      },
    })),
    rounds,
  );
  await Promise.all([inProcess.stop(), api.stop(), worker.stop()]);
  const figure = (pick: (shot: Shot) => number): Measured[] => compare(sides, results, pick);
  return {
    title: `POST → dashboard at ${rate}/s, ms`,
    unit: 'ms',
    measured: p50,
    more: {
      'event p99': figure(({ event }) => event.p99),
      'reply p50': figure(({ reply }) => reply.p50),
    },
  };
}

interface Shot {
  event: { p50: number; p99: number };
  reply: { p50: number; p99: number };
}

function compare(
  sides: { name: string }[],
  results: Map<string, Shot[]>,
  pick: (shot: Shot) => number,
): Measured[] {
  const base = results.get(sides[0]!.name)!.map(pick);
  return sides.map(({ name }) => {
    const values = results.get(name)!.map(pick);
    return {
      name,
      values,
      median: quantile(values, 0.5),
      spread: (quantile(values, 0.75) - quantile(values, 0.25)) / 2 / quantile(values, 0.5),
      ratio: quantile(
        values.map((value, round) => value / base[round]!),
        0.5,
      ),
    };
  });
}

/** Open loop: the next POST does not wait for the last one's answer. */
async function fireAtRate(stage: Stage, url: string, path: string, rate: number): Promise<Shot> {
  const count = Math.max(Math.round(rate * SECONDS), 20);
  const { companyId } = stage.ids[0]!;
  const socket = io(url, {
    forceNew: true,
    auth: { companyId, token: await signToken(JWT_SECRET, companyId) },
  });
  await new Promise((resolve) => socket.once('emissions:position', resolve));
  const sent = new Map<string, number[]>();
  const events: number[] = [];
  const replies: number[] = [];
  let arrived = 0;
  const all = new Promise<void>((resolve) => {
    socket.on('appointment:updated', ({ appointment }: { appointment: { _id: string } }) => {
      const at = sent.get(appointment._id)?.shift();
      if (at === undefined) return;
      events.push(performance.now() - at);
      arrived += 1;
      if (arrived === count) resolve();
    });
  });
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  const startedAt = performance.now();
  for (let i = 0; i < count; i += 1) {
    const due = startedAt + (i * 1_000) / rate;
    const wait = due - performance.now();
    if (wait > 1) await pause(wait);
    const { appointmentId } = stage.ids[i % stage.ids.length]!;
    const at = performance.now();
    sent.set(appointmentId, [...(sent.get(appointmentId) ?? []), at]);
    const req = request(url + path, {
      agent,
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': API_KEY },
    });
    req.on('response', (res) => {
      res.resume();
      replies.push(performance.now() - at);
    });
    req.end(JSON.stringify({ appointmentId }));
  }
  await Promise.race([all, pause(GIVE_UP_MS)]);
  socket.close();
  agent.destroy();
  if (arrived < count) throw new Error(`${count - arrived} of ${count} events did not arrive`);
  const settled = (values: number[]) => values.slice(Math.floor(values.length * WARM_UP));
  const summary = (values: number[]) => ({ p50: quantile(values, 0.5), p99: quantile(values, 0.99) });
  return { event: summary(settled(events)), reply: summary(settled(replies)) };
}
