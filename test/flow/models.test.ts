import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Types } from 'mongoose';
import type { Dashboard } from '../harness/dashboard.ts';
import { STATUSES } from '../model/backend-model.ts';
import { DEPLOYMENTS, type EventName, type Running } from './deployments.ts';

/** Longer than the grace in which the sweep leaves a write to the bot. */
const MISSED_MS = 6_000;

describe.each(DEPLOYMENTS)('$name', ({ start, ownFields, canceled }) => {
  let running: Running;
  let dashboard: Dashboard;
  beforeAll(async () => {
    running = await start();
    dashboard = await running.open();
  }, 120_000);
  afterAll(() => running.world.close());

  /** Announces an appointment. Resolves to what the dashboard receives. */
  async function emit(event: EventName, appointmentId: string) {
    const before = dashboard.received.length;
    expect(await running.announce(event, appointmentId)).toBe(true);
    const { payload, meta, ...received } = await dashboard.receive(
      (one) =>
        one.payload.appointment._id === appointmentId &&
        one.event === `appointment:${event}` &&
        dashboard.received.indexOf(one) >= before,
    );
    return { event: received.event, meta, appointment: payload.appointment as unknown as Row };
  }

  async function book(fields: Record<string, unknown> = {}): Promise<string> {
    const appointmentId = await running.company.appointment(fields);
    await emit('created', appointmentId);
    return appointmentId;
  }

  async function remove(appointmentId: string): Promise<void> {
    const { collection } = running.collections.Appointment;
    await collection.deleteOne({ _id: new Types.ObjectId(appointmentId) });
    expect(await running.announceDeletion(appointmentId)).toBe(true);
    await dashboard.receive(
      ({ event, payload }) => event === DELETED && payload.appointment._id === appointmentId,
    );
  }

  test('a new appointment arrives with its references, and with the fields of the model only', async () => {
    const { company } = running;
    const appointmentId = await company.appointment({ internalRemark: 'never sent' });
    const text = expect.any(String);
    const hex = (document: { _id: Types.ObjectId }) => document._id.toHexString();
    expect((await emit('created', appointmentId)).appointment).toEqual({
      _id: appointmentId,
      companyId: company.companyId,
      customerId: {
        _id: hex(company.customer),
        fullName: 'Ann Bauer',
        email: 'ann@example.org',
        phone: '+49 1',
      },
      petId: {
        _id: hex(company.pet),
        name: 'Rex',
        species: 'dog',
        breed: 'Poodle',
        size: 'small',
        coatType: 'curly',
      },
      serviceId: { _id: hex(company.service), name: 'Full groom' },
      serviceItemId: { _id: hex(company.serviceItem), size: 'small', coatType: 'curly', price: 55.5 },
      staffId: { _id: hex(company.staff), fullName: 'Maya Brandt', role: 'groomer' },
      locationId: text,
      start: text,
      end: text,
      status: 'scheduled',
      source: 'instagram',
      notes: 'first visit',
      createdAt: text,
      updatedAt: text,
      ...Object.fromEntries(ownFields.map((name) => [name, null])),
    });
  });

  test('a change and a cancellation arrive as they are stored', async () => {
    const { company } = running;
    const appointmentId = await book();
    await company.change(appointmentId, { notes: 'second visit' });
    expect((await emit('updated', appointmentId)).appointment).toMatchObject({ notes: 'second visit' });

    const stored = { canceledAt: new Date(), cancellationReason: 'ill' };
    await company.change(appointmentId, { status: 'canceled', ...stored });
    const { appointment } = await emit('canceled', appointmentId);
    expect(appointment).toMatchObject({ status: 'canceled', notes: 'second visit' });
    const sent = { canceledAt: stored.canceledAt.toISOString(), cancellationReason: 'ill' };
    expect(fieldsOf(appointment, Object.keys(sent))).toEqual(fieldsOf(sent, ownFields));
  });

  test.each(STATUSES)('the status %s arrives as it is stored', async (status) => {
    const appointmentId = await running.company.appointment({ status });
    const { appointment } = await emit('updated', appointmentId);
    expect(appointment).toMatchObject({ status, petId: { name: 'Rex' } });
  });

  test('an unannounced write arrives as canceled if the model says that its status means canceled, else as updated', async () => {
    const others = STATUSES.filter((status) => status !== 'scheduled');
    const expected = others.map((status) => [
      status,
      canceled.includes(status) ? 'appointment:canceled' : 'appointment:updated',
    ]);
    const missed = new Date(Date.now() - MISSED_MS);
    const arrived = others.map(async (status) => {
      const appointmentId = await book();
      const { collection } = running.collections.Appointment;
      await collection.updateOne(
        { _id: new Types.ObjectId(appointmentId) },
        { $set: { status, updatedAt: missed } },
      );
      const { event } = await dashboard.receive(
        ({ payload }) => payload.appointment._id === appointmentId && statusOf(payload) === status,
      );
      return [status, event];
    });
    expect(await Promise.all(arrived)).toEqual(expected);
  });

  test('references that are missing, dangling or of another company are null', async () => {
    const { company, other } = running;
    const appointmentId = await company.appointment({
      customerId: undefined,
      petId: new Types.ObjectId(),
      serviceId: null,
      staffId: other.staff._id,
    });
    expect((await emit('created', appointmentId)).appointment).toMatchObject({
      customerId: null,
      petId: null,
      serviceId: null,
      serviceItemId: { price: 55.5 },
      staffId: null,
    });
  });

  test('a deletion arrives with ids only', async () => {
    const appointmentId = await book();
    await remove(appointmentId);
    const { payload } = dashboard.received.find(({ event }) => event === DELETED)!;
    expect(payload).toEqual({ appointment: { _id: appointmentId, companyId: running.company.companyId } });
  });

  test('a dashboard that was disconnected receives what it missed, and needs no reload', async () => {
    const { company } = running;
    const [changed, ended, gone] = [await book(), await book(), await book()];
    const away = await running.open();
    const { epoch, offset } = away.positions[0]!;
    away.close();
    const added = await book();
    await company.change(changed, { notes: 'moved' });
    await emit('updated', changed);
    await company.change(ended, { status: 'no_show' });
    await emit('canceled', ended);
    await remove(gone);

    const back = await running.open({ epoch, offset });
    const head = back.positions[0]!;
    expect(head).toEqual({ epoch, offset: expect.any(Number), recovered: true });
    const offsets = back.received.map(({ meta }) => meta.offset);
    expect(offsets).toEqual([...offsets].sort((a, b) => a - b));
    const last = new Map(back.received.map((received) => [received.payload.appointment._id, received]));
    expect([added, changed, ended, gone].map((id) => last.get(id))).toMatchObject([
      { event: 'appointment:created', meta: { replayed: true } },
      { payload: { appointment: { notes: 'moved' } }, meta: { replayed: true } },
      { payload: { appointment: { status: 'no_show' } }, meta: { replayed: true } },
      { event: DELETED, payload: { appointment: { _id: gone } }, meta: { replayed: true } },
    ]);
  });

  test('the list equals what the dashboard shows', async () => {
    const shown = new Map<string, unknown>();
    for (const { event, payload } of dashboard.received) {
      if (event === DELETED) shown.delete(payload.appointment._id);
      else shown.set(payload.appointment._id, payload.appointment);
    }
    const { appointments } = await running.list();
    expect(new Map(appointments.map(({ appointment }) => [appointment._id, appointment]))).toEqual(shown);
  });
});

const DELETED = 'appointment:deleted';
type Row = Record<string, unknown>;

function fieldsOf(row: Row, names: readonly string[]): Row {
  return Object.fromEntries(names.filter((name) => name in row).map((name) => [name, row[name]]));
}

function statusOf({ appointment }: { appointment: object }): unknown {
  return (appointment as { status?: unknown }).status;
}
