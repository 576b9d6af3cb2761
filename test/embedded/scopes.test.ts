import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Types } from 'mongoose';
import { companyRoom } from '@appointment-emissions/contracts';
import { DEFAULT_DESCRIPTION } from '../../src/model/default-model.ts';
import type { Company } from '../harness/documents.ts';
import { eventually } from '../harness/until.ts';
import type { World } from '../harness/world.ts';
import { type ApplicationOptions, createEmbeddedWorld, PAIRS, startApplication } from './application.ts';

let world: World;
let company: Company;
let appointmentId: string;
beforeEach(async () => {
  ({ world, company, appointmentId } = await createEmbeddedWorld());
});
afterEach(() => world.close());

const HIDE = ['customerId.email'];

/** An application that lets each socket join the room of its company itself, as one with emissions of its own does. */
const start = (options: ApplicationOptions) =>
  startApplication(world, PAIRS[0], {
    prepare: (io) => {
      io.on('connection', (socket) => {
        void socket.join(companyRoom(company.companyId));
      });
      return Promise.resolve();
    },
    ...options,
  });

test('scopeOf decides what a socket gets, and before it has settled the socket gets nothing', async () => {
  let settle: (scope: unknown) => void = () => undefined;
  const settled = new Promise<unknown>((resolve) => (settle = resolve));
  const application = await start({
    scopeOf: ({ handshake: { auth } }) => (auth['role'] === 'groomer' ? settled : undefined),
  });
  const token = await world.token(company.companyId);
  const groomer = await application.client({ token, role: 'groomer' });
  const manager = await application.client({ token, role: 'manager' });
  await eventually('the pipeline to accept', () => application.emissions.updated(appointmentId));
  await eventually('the manager to get it', () => manager.received.length > 0);
  expect(groomer.received).toEqual([]);

  settle({ staffId: company.staff._id.toHexString(), hide: HIDE });
  const others = await company.appointment({ staffId: new Types.ObjectId() });
  await eventually('the groomer to get an own appointment', async () => {
    await application.emissions.updated(appointmentId);
    return groomer.received.some(({ event }) => event === 'appointment:updated');
  });
  await application.emissions.updated(others);
  await eventually('the removal', () =>
    groomer.received.some(({ event }) => event === 'appointment:deleted'),
  );
  expect(JSON.stringify(groomer.received)).not.toContain('ann@example.org');
  expect(JSON.stringify(manager.received)).toContain('ann@example.org');
});

test('a socket whose scopeOf fails, or returns no scope, receives nothing, and the log has the reason', async () => {
  const application = await start({
    scopeOf: ({ handshake: { auth } }) => {
      if (auth['role'] === 'broken') throw new Error('no role');
      return auth['role'] === 'wrong' ? {} : undefined;
    },
  });
  const token = await world.token(company.companyId);
  const [broken, wrong, manager] = [
    await application.client({ token, role: 'broken' }),
    await application.client({ token, role: 'wrong' }),
    await application.client({ token }),
  ];
  await eventually('the pipeline to accept', () => application.emissions.updated(appointmentId));
  await eventually('the manager to get it', () => manager.received.length > 0);
  expect([...broken.received, ...wrong.received]).toEqual([]);
  const logged = application.lines.filter(({ message }) => message === 'socket not admitted');
  expect(JSON.stringify(logged)).toContain('no role');
});

test('a list without scopeOf is refused if sockets have one, and a list with scopeOf obeys it', async () => {
  const scopeOf = () => ({ staffId: company.staff._id.toHexString(), hide: HIDE });
  const own = appointmentId;
  await company.appointment({ staffId: new Types.ObjectId() });
  const listed = async ({ url }: { url: string }) => {
    const headers = { authorization: `Bearer ${await world.token(company.companyId)}` };
    const response = await fetch(`${url}/api/v1/dashboard/appointments`, { headers });
    return { status: response.status, text: await response.text() };
  };
  const without = await start({ scopeOf, worker: false });
  expect(await listed(without)).toMatchObject({
    status: 403,
    text: expect.stringContaining('SCOPE_INVALID'),
  });
  const both = await start({ scopeOf, listScopeOf: scopeOf, worker: false });
  const { status, text } = await listed(both);
  const ids = (JSON.parse(text) as { appointments: { appointment: { _id: string } }[] }).appointments;
  expect([status, ids.map(({ appointment: { _id } }) => _id)]).toEqual([200, [own]]);
  expect(text).not.toContain('ann@example.org');
  const broken = await start({
    scopeOf,
    listScopeOf: () => {
      throw new Error('no role');
    },
    worker: false,
  });
  expect(await listed(broken)).toMatchObject({ status: 403 });
});

test('a model with scopeOf, which reads tokens, needs a scopeOf for sockets', async () => {
  const describeModel = () => ({ ...DEFAULT_DESCRIPTION, scopeOf: () => undefined });
  await expect(start({ describeModel, worker: false })).rejects.toThrow(
    'give attach a scopeOf that reads the socket',
  );
});
