import { randomUUID } from 'node:crypto';
import { io } from 'socket.io-client';
import type { EmitReply } from '@appointment-emissions/contracts';
import type { Company } from '../harness/documents.ts';
import { eventually, until } from '../harness/until.ts';
import { API_KEY, type World } from '../harness/world.ts';
import { CREDENTIALS } from '../operate/admin.ts';

const INTERNAL = '/api/v1/internal';
const LIST = '/api/v1/dashboard/appointments';
const KEY = { 'x-api-key': API_KEY };
const OPERATOR = { authorization: CREDENTIALS };

/** A reply or message of a process to a client. */
export interface Answer {
  to: string;
  text: string;
}

export interface WholeService {
  world: World;
  /** One process of each, at least, with `ADMIN_WRITES=on`, two attempts and a quick sweep. */
  api: { url: string };
  metricsUrls: readonly string[];
  owner: Company;
  stranger: Company;
  /** In the notes of every appointment. */
  notes: string;
  /** What careless callers put where it does not belong. */
  misplaced: readonly string[];
}

/**
 * Does everything once that bots, dashboards and operators do with the service, mistakes and failures included. Resolves
 * to all that it answered to others than the owner's dashboards, and the emissions of each end.
 */
export async function useWholeService(service: WholeService) {
  const { world, api, owner, stranger, notes } = service;
  const answers: Answer[] = [];

  async function call(to: string, url: string, init: RequestInit & { json?: unknown } = {}) {
    const { json, ...rest } = init;
    const response = await fetch(new URL(url, api.url), {
      ...(json !== undefined && { method: 'POST', body: JSON.stringify(json) }),
      ...rest,
      headers: { 'content-type': 'application/json', ...(rest.headers as Record<string, string>) },
    });
    const text = await response.text();
    answers.push({ to, text: `${JSON.stringify([...response.headers])}\n${text}` });
    return { status: response.status, text };
  }
  const bearer = async (company: Company) => ({
    authorization: `Bearer ${await world.token(company.companyId)}`,
  });
  /** On a busy machine MongoDB can exceed the API's time limit: then the request is repeated, as the bot does. */
  async function post(path: string, json: unknown, headers = {}, tries = 5): Promise<{ text: string }> {
    const request = { json, headers: { ...KEY, ...headers } };
    const answer = await call('a bot', `${INTERNAL}/socket/${path}`, request);
    return answer.status === 500 && tries > 1 ? post(path, json, headers, tries - 1) : answer;
  }

  const [own, others] = [
    await world.dashboard(api, owner.companyId),
    await world.dashboard(api, stranger.companyId),
  ];
  others.socket.onAny((...received: unknown[]) => {
    answers.push({ to: 'another company', text: JSON.stringify(received) });
  });

  const scoped = await openScoped();

  const published = await emitAllWays();
  await makeMistakes();
  await listAndCatchUp();
  const failed = await failForGood();
  await missOne();
  await operate(failed);
  await look();
  return { answers, published, failed, own };

  /** Dashboards of the owner that must receive none of the personal data: it is hidden, or of another staff member. */
  async function openScoped() {
    const scopes = [{ hide: ['customerId', 'notes'] }, { staffId: stranger.staff._id.toHexString() }];
    return Promise.all(
      scopes.map(async (scope) => {
        const token = await world.token(owner.companyId, '1h', { scope });
        const dashboard = await world.dashboard(api, owner.companyId, { token });
        dashboard.socket.onAny((...received: unknown[]) => {
          answers.push({ to: 'a dashboard with a scope', text: JSON.stringify(received) });
        });
        return { token, dashboard };
      }),
    );
  }

  /** One by one, with a key twice, in a batch, and by the services' socket. */
  async function emitAllWays(): Promise<string[]> {
    const appointmentId = await owner.appointment({ notes });
    const ids = [];
    for (const slug of ['appointment-created', 'appointment-updated', 'appointment-canceled'])
      ids.push(await world.emit(api, slug, appointmentId));
    const key = { 'idempotency-key': randomUUID() };
    const [first, again] = [
      await post('appointment-updated', { appointmentId }, key),
      await post('appointment-updated', { appointmentId }, key),
    ];
    if (first.text !== again.text) throw new Error(`repeated: ${first.text}, then ${again.text}`);
    const emissions = [
      { event: 'appointment:created', appointmentId: await owner.appointment({ notes }) },
      { event: 'appointment:created', appointmentId: 'f'.repeat(24) },
    ];
    const { results } = JSON.parse((await post('batch', { emissions })).text) as {
      results: { emissionId?: string }[];
    };
    const reply = await emitBySocket({ event: 'appointment:updated', appointmentId });
    ids.push((JSON.parse(first.text) as { emissionId: string }).emissionId);
    ids.push(results[0]!.emissionId!, String(reply.emissionId));
    for (const id of ids) await own.receive(({ meta }) => meta.emissionId === id, `emission ${id}`);
    return ids;
  }

  async function emitBySocket(request: unknown, tries = 5): Promise<EmitReply> {
    const socket = io(`${api.url}/internal`, { forceNew: true, auth: { apiKey: API_KEY } });
    world.keep(socket, () => socket.close());
    const reply = (await socket.timeout(10_000).emitWithAck('emit', request)) as EmitReply;
    answers.push({ to: 'a bot, by socket', text: JSON.stringify(reply) });
    socket.close();
    return reply.status === 500 && tries > 1 ? emitBySocket(request, tries - 1) : reply;
  }

  async function makeMistakes(): Promise<void> {
    const appointmentId = await owner.appointment({ notes });
    for (const text of service.misplaced) {
      const ascii = encodeURIComponent(text);
      await post('appointment-created', { appointmentId: text });
      await post('appointment-created', { appointmentId, customer: { note: text }, [text]: text });
      await post('batch', { emissions: [{ event: text, appointmentId: text, [text]: 1 }] });
      await post('appointment-updated', { appointmentId }, { 'idempotency-key': ascii });
      await post(`appointment-created?${ascii}=${ascii}`, { appointmentId: 'x' }, { 'x-api-key': ascii });
      await post(ascii, {});
      await call('a bot', `${INTERNAL}/socket/appointment-created`, {
        method: 'POST',
        headers: { ...KEY, 'x-request-id': ascii, traceparent: ascii },
        body: `{"appointmentId": "${text}`,
      });
      await call('a bot', `${INTERNAL}/socket/emissions/${ascii}`, { headers: KEY });
      await call('a bot', `${INTERNAL}/socket/emissions?appointmentId=${ascii}`, { headers: KEY });
      await call('a dashboard', `${LIST}?from=${ascii}`, { headers: { authorization: `Bearer ${ascii}` } });
      await call('an operator', '/admin/api/retry', { json: { emissionId: text }, headers: OPERATOR });
      await call('an operator', '/admin/api/re-emit', { json: { companyId: text }, headers: OPERATOR });
      await emitBySocket({ event: text, appointmentId: text, idempotencyKey: ascii });
      await refusedHandshake('/', { token: text, position: { epoch: text, offset: 1 } });
      await refusedHandshake('/internal', { apiKey: text });
      await refusedHandshake('/canary', { secret: text });
    }
  }

  async function refusedHandshake(namespace: string, auth: Record<string, unknown>): Promise<void> {
    const socket = io(`${api.url}${namespace}`, { forceNew: true, reconnection: false, auth });
    world.keep(socket, () => socket.close());
    const refused = new Promise<Error>((resolve) => socket.once('connect_error', resolve));
    const error = await until(`${namespace} to refuse`, refused);
    answers.push({
      to: `a stranger at ${namespace}`,
      text: JSON.stringify([error.message, Object.entries(error)]),
    });
    socket.close();
  }

  async function listAndCatchUp(): Promise<void> {
    const list = await fetch(`${api.url}${LIST}`, { headers: await bearer(owner) });
    if (!(await list.text()).includes(owner.customer._id.toHexString())) throw new Error('nothing is listed');
    await call('another company', LIST, { headers: await bearer(stranger) });
    const { epoch, offset } = own.received.at(-1)!.meta;
    const back = await world.dashboard(api, owner.companyId, { position: { epoch, offset: offset - 1 } });
    await back.receive(({ meta }) => meta.replayed, 'a replay');
    const lost = await world.dashboard(api, stranger.companyId, { position: { epoch, offset } });
    answers.push({ to: 'another company', text: JSON.stringify(lost.positions) });
    back.close();
    lost.close();
    for (const { token, dashboard } of scoped) {
      const { text } = await call('a dashboard with a scope', LIST, {
        headers: { authorization: `Bearer ${token}` },
      });
      if (!text.includes('"appointments"')) throw new Error(`not listed: ${text.slice(0, 200)}`);
      const reply: unknown = await dashboard.socket.emitWithAck('emissions:catch-up', { epoch, offset: 0 });
      const renewed: unknown = await dashboard.socket.emitWithAck('emissions:token', { token });
      answers.push({ to: 'a dashboard with a scope', text: JSON.stringify([reply, renewed]) });
      if (dashboard.received.length === 0) throw new Error('a dashboard with a scope has received nothing');
    }
  }

  /** One that is too large, one that another company has when a worker reads it; both wait for an operator. */
  async function failForGood(): Promise<string[]> {
    const [large, foreign] = [
      await owner.appointment({ notes: notes.padEnd(300_000, notes) }),
      await owner.appointment({ notes }),
    ];
    await world.queue.pause();
    const ids = [
      await world.emit(api, 'appointment-created', large),
      await world.emit(api, 'appointment-canceled', foreign),
    ];
    await world.documents.giveAway(foreign);
    await world.queue.resume();
    for (const id of ids) await world.jobIn(id, 'failed');
    // Of fields of wrong types the rest is published.
    const odd = await world.emit(
      api,
      'appointment-updated',
      await owner.appointment({ start: notes, notes: { in: notes }, status: [notes], staffId: notes }),
    );
    await own.receive(({ meta }) => meta.emissionId === odd, 'the one with wrong types');
    return ids;
  }

  /** An unannounced write: the sweep finds it. */
  async function missOne(): Promise<void> {
    const updatedAt = new Date(Date.now() - 10_000);
    const missed = await owner.appointment({ notes, createdAt: updatedAt, updatedAt });
    await own.receive(
      ({ payload }) => payload.appointment._id === missed,
      'the write that was not announced',
    );
  }

  async function operate([large = '', foreign = '']: string[]): Promise<void> {
    const ok = async (path: string, init: RequestInit & { json?: unknown } = {}) => {
      const { status, text } = await call('an operator', path, { ...init, headers: OPERATOR });
      if (status >= 300) throw new Error(`${path}: ${status} ${text.slice(0, 500)}`);
    };
    await ok('/admin/api/overview');
    await ok('/admin/api/series');
    await ok('/admin/api/retry', { json: { emissionId: foreign } });
    await world.jobIn(foreign, 'failed');
    for (const [path, json] of Object.entries({
      'retry-failed': { since: '1h' },
      're-emit': { companyId: owner.companyId, since: '1h', limit: 3 },
      disconnect: { companyId: owner.companyId, dryRun: true },
    }))
      await ok(`/admin/api/${path}`, { json });
    for (const id of [large, foreign]) await world.jobIn(id, 'failed');

    const board = '/admin/queues/api/queues';
    const [live, bulk] = ['appointment-emissions', 'appointment-emissions-bulk'] as const;
    const put = { method: 'PUT' };
    for (const name of [live, bulk]) {
      for (const status of ['latest', 'active', 'waiting', 'prioritized', 'completed', 'failed', 'delayed'])
        await ok(`${board}?activeQueue=${name}&status=${status}&page=1`);
      for (const part of ['metrics', 'workers', 'rate-limit', 'default-job-options'])
        await ok(`${board}/${name}/${part}`);
    }
    // What is retried by the thousand has moved there.
    const moved = `${board}/${bulk}`;
    await ok(`${moved}/${large}`);
    for (const part of ['logs', 'flow']) await ok(`${moved}/${large}/${part}`);
    await ok('/admin/queues/api/redis/stats');
    await ok(`${moved}/${foreign}/retry`, put);
    await world.jobIn(foreign, 'failed');
    for (const what of ['pause', 'retry/failed', 'resume']) await ok(`${moved}/${what}`, put);
    for (const id of [large, foreign]) await world.jobIn(id, 'failed');
    for (const name of [live, bulk]) await changeJobs(`${board}/${name}`);

    /** The other actions of Bull Board's page; emitted jobs are kept. */
    async function changeJobs(queue: string): Promise<void> {
      const json = { name: 'odd', data: { operator: 1 }, options: { delay: 3_600_000, attempts: 1 } };
      const change = (body: object) => ({ method: 'PATCH', body: JSON.stringify(body) });
      const isDone = async (path: string, init: RequestInit) =>
        (await call('an operator', path, { ...init, headers: OPERATOR })).status < 300;
      // If MongoDB was slow, a worker may start the delayed jobs meanwhile: then with another job.
      const job = await eventually('a delayed job to be changed and started', async () => {
        const { text } = await call('an operator', `${queue}/add`, { json, headers: OPERATOR });
        const { job } = JSON.parse(text) as { job: { id: string } };
        await ok(`${queue}/${job.id}/update-data`, change({ jobData: { operator: 2 } }));
        const isDelayed = await isDone(`${queue}/${job.id}/delay`, change({ runAt: Date.now() + 7_200_000 }));
        const isStarted = isDelayed && (await isDone(`${queue}/${job.id}/promote`, put));
        return isStarted ? job : undefined;
      });
      await world.jobIn(job.id, 'failed');
      await ok(`${queue}/${job.id}/clean`, put);
      await ok(`${queue}/add`, { json: { ...json, name: 'odd too' } });
      await ok(`${queue}/promote`, put);
      await ok(`${queue}/clean/delayed`, put);
      await ok(`${queue}/empty`, put);
    }
  }

  async function look(): Promise<void> {
    const [first = ''] = published;
    const { text } = await call('a service', `${INTERNAL}/socket/emissions/${first}`, { headers: KEY });
    const { appointmentId } = JSON.parse(text) as { appointmentId: string };
    for (const path of [`emissions/${failed[0] ?? ''}`, `emissions?appointmentId=${appointmentId}`])
      await call('a service', `${INTERNAL}/socket/${path}`, { headers: KEY });
    await call('a service', `${INTERNAL}/metrics`, { headers: KEY });
    for (const path of [
      '/livez',
      '/readyz',
      '/health',
      '/openapi.json',
      '/asyncapi.json',
      '/docs',
      '/',
      '/x',
    ])
      await call('anybody', path);
    await call('Prometheus', '/metrics', { headers: KEY });
    for (const url of service.metricsUrls) {
      await call('Prometheus', `${url}/metrics`);
      await call('anybody', `${url}/livez`);
    }
    await call('an operator', '/admin/', { headers: OPERATOR });
    await eventually('the last failure to be counted', async () =>
      (await call('a service', `${INTERNAL}/metrics`, { headers: KEY })).text.includes('"failed"'),
    );
  }
}
