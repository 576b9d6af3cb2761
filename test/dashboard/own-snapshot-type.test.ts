import { afterEach, beforeEach, expect, test } from '@jest/globals';
import {
  connectDashboard,
  type Dashboard,
  fetchAppointments,
  type AppointmentList,
  type AppointmentPayload,
  type AppointmentSnapshot,
} from '@appointment-emissions/dashboard';
import { eventually } from '../harness/until.ts';
import { meta } from './appointment-fixture.ts';
import { openWorld, type DashboardWorld } from './dashboard-world.ts';

/** The snapshot of a server with another model description. */
interface MyAppointment {
  _id: string;
  status: 'scheduled' | 'checked_in' | 'canceled';
  roomId: { _id: string; name: string } | null;
}

let world: DashboardWorld;
let dashboard: Dashboard<MyAppointment>;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => {
  dashboard.close();
  return world.close();
});

test('connectDashboard<MyAppointment> types listeners, appointments and lists', async () => {
  const room = { _id: 'r', name: 'Salon' };
  const listed: MyAppointment = { _id: 'a', status: 'scheduled', roomId: null };
  dashboard = connectDashboard<MyAppointment>({
    url: world.server.url,
    getToken: () => Promise.resolve('a-token'),
    loadSnapshot: () =>
      Promise.resolve({ epoch: 'e', offset: 5, appointments: [{ appointment: listed, offset: 5, read: 1 }] }),
    socketOptions: { transports: ['websocket'] },
  });
  const rooms: (string | undefined)[] = [];
  dashboard.on('appointment:updated', ({ appointment }) => {
    const payload: AppointmentPayload<MyAppointment> = { appointment };
    rooms.push(payload.appointment.roomId?.name);
    // @ts-expect-error the snapshot has only the fields of the type argument
    expect(appointment.petId).toBeUndefined();
  });
  dashboard.on('appointments', (rows) => {
    const status: MyAppointment['status'] | undefined = rows.get('a')?.appointment.status;
    rooms.push(status);
  });
  dashboard.on('appointment:deleted', ({ appointment, reason }) => {
    rooms.push(appointment._id, appointment.companyId, reason);
    // @ts-expect-error a deletion carries ids only
    rooms.push(appointment.status);
  });
  const server = await world.server.connection();
  server.sendPosition({ epoch: 'e', offset: 5 });
  server.raw(
    'appointment:updated',
    { appointment: { ...listed, roomId: room } },
    meta({ epoch: 'e', offset: 6 }),
  );
  await eventually('the list and an event', () => rooms.length === 2);
  expect(rooms).toEqual(['scheduled', 'Salon']);
  expect(dashboard.appointments.get('a')?.appointment.roomId?.name).toBe('Salon');
  const reply: string = await dashboard.edit('a', { roomId: null, status: 'checked_in' }, () =>
    Promise.resolve('saved'),
  );
  expect([reply, dashboard.appointments.get('a')?.appointment.status]).toEqual(['saved', 'checked_in']);
});

/** Compared by the compiler only. */
export function typesOnly(plain: Dashboard): void {
  const pet: AppointmentSnapshot['petId'] | undefined = plain.appointments.get('a')?.appointment.petId;
  expect(pet).toBeUndefined();
  const options = { url: '/', token: 't', from: new Date(), to: new Date() };
  void dashboard.reload(() => fetchAppointments<MyAppointment>(options));
  const list: Promise<AppointmentList> = fetchAppointments(options);
  // @ts-expect-error a status that the snapshot cannot have
  void dashboard.edit('a', { status: 'unknown' }, () => undefined);
  // @ts-expect-error a field that the snapshot does not have
  void dashboard.edit('a', { petId: null }, () => undefined);
  // @ts-expect-error the id cannot be edited
  void plain.edit('a', { _id: 'b' }, () => undefined);
  // @ts-expect-error a list of other snapshots
  void dashboard.reload(() => list);
  // @ts-expect-error a snapshot has an _id
  connectDashboard<{ name: string }>({ url: '/', getToken: () => Promise.resolve('t') });
}
