/** What the JavaScript programs import: the local name or names, and the module. */
const IMPORTS = [
  ['{ once }', 'node:events'],
  ['{ createServer }', 'node:http'],
  ['express', 'express'],
  ['mongoose', 'mongoose'],
  ['{ Server }', 'socket.io'],
  ['{ createEmissions, fromMongoose }', 'appointment-emission-pipeline'],
  ['{ createRealtimeAppointments }', '@appointment-emissions/bot'],
  ['{ APPOINTMENT_CREATED }', '@appointment-emissions/contracts'],
  ['{ connectDashboard }', '@appointment-emissions/dashboard'],
] as const;

/**
 * An application with the server, a bot and a dashboard in one process. It prints the first event that the dashboard receives as
 * JSON, closes everything, and must then end by itself.
 */
const APPLICATION = `
const { APPOINTMENT_ID, COMPANY_ID, MONGODB_URI, REDIS_URL, INTERNAL_SERVICE_API_KEY } = process.env;

async function main() {
  const connection = await mongoose.createConnection(MONGODB_URI).asPromise();
  const { ObjectId } = mongoose.Schema.Types;
  const ofCompany = { companyId: { type: ObjectId, required: true } };
  connection.model('Pet', new mongoose.Schema({ ...ofCompany, name: String }));
  const Appointment = connection.model(
    'Appointment',
    new mongoose.Schema(
      { ...ofCompany, petId: { type: ObjectId, ref: 'Pet' }, start: Date, end: Date, status: String },
      { timestamps: true },
    ),
  );

  const app = express();
  const server = createServer(app);
  const io = new Server(server);
  const emissions = createEmissions({
    connection,
    redis: REDIS_URL,
    model: fromMongoose(Appointment, { path: 'petId', select: 'name' }),
    settings: process.env,
    logger: { info: () => undefined, warn: console.error, error: console.error },
  });
  app.use('/api/v1/internal', emissions.router);
  await emissions.attach(io, { companyOf: (socket) => socket.handshake.auth.token });
  emissions.startWorker();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = 'http://127.0.0.1:' + server.address().port;

  const dashboard = connectDashboard({ url, getToken: async () => COMPANY_ID });
  while (dashboard.state !== 'live') await new Promise((resolve) => dashboard.on('state', resolve));
  const received = new Promise((resolve) => dashboard.on(APPOINTMENT_CREATED, resolve));
  const bot = createRealtimeAppointments({
    backendUrl: url,
    apiKey: INTERNAL_SERVICE_API_KEY,
    logger: { info: () => undefined, warning: console.error, error: console.error },
  });
  const accepted = await bot.emitAppointmentCreated(APPOINTMENT_ID);
  console.log(JSON.stringify({ accepted, ...(await received) }));

  dashboard.close();
  await bot.close();
  await emissions.close();
  await io.close();
  await connection.close();
}
main().catch((error) => {
  console.error(error);
  process.exit(1);
});
`;

export const ES_MODULE =
  IMPORTS.map(([names, module]) => `import ${names} from '${module}';\n`).join('') + APPLICATION;
export const COMMONJS =
  IMPORTS.map(([names, module]) => `const ${names} = require('${module}');\n`).join('') + APPLICATION;

/** Uses the types of all packages. It is not run. */
export const TYPESCRIPT = `
import { createServer } from 'node:http';
import { createApi, fakeBaseQuery } from '@reduxjs/toolkit/query';
import express from 'express';
import mongoose from 'mongoose';
import { Server } from 'socket.io';
import { createEmissions, defineModel, type Emissions, fromMongoose, type SnapshotOf } from 'appointment-emission-pipeline';
import { createRealtimeAppointments, emitAppointmentCreated, emitAppointmentDeleted } from '@appointment-emissions/bot';
import { APPOINTMENT_EVENTS, type AppointmentEvent } from '@appointment-emissions/contracts';
import { connectDashboard, type Dashboard, fetchAppointments } from '@appointment-emissions/dashboard';
import { useAppointments } from '@appointment-emissions/dashboard/react';
import { type CachedAppointments, followAppointments, invalidateOnChange } from '@appointment-emissions/dashboard/rtk-query';

/** The model, and the type that follows from it. */
const model = defineModel({
  collection: 'appointments',
  references: { petId: { collection: 'pets', fields: ['name', { name: 'weight', type: 'number' }] } },
  fields: [{ name: 'canceledAt', type: 'date' }],
  status: { canceled: ['canceled', 'no_show'] },
});
type MyAppointment = SnapshotOf<typeof model>;

export async function embed(app: express.Express, redis: string): Promise<Emissions> {
  const connection = await mongoose.createConnection('mongodb://127.0.0.1').asPromise();
  const Appointment = connection.model('Appointment', new mongoose.Schema({ companyId: mongoose.Schema.Types.ObjectId }));
  const io = new Server(createServer(app));
  const emissions = createEmissions({
    connection,
    redis,
    model: Math.random() > 0.5 ? model : fromMongoose(Appointment, ['petId'], { status: { canceled: ['canceled'] } }),
    settings: process.env,
    logger: console,
  });
  app.use('/api/v1/internal', emissions.router);
  await emissions.attach(io, { companyOf: (socket) => socket.data.user?.companyId });
  const session = await connection.startSession();
  const isPlanned: boolean = await emissions.updated(new mongoose.Types.ObjectId(), { session });
  // @ts-expect-error: a deletion needs the company
  await emissions.deleted('65f000000000000000000001');
  console.log(isPlanned);
  return emissions;
}

export async function announce(): Promise<boolean[]> {
  const bot = createRealtimeAppointments({ backendUrl: 'http://localhost:3001', logger: (level, message) => { console.log(level.length, message); } });
  // @ts-expect-error: unknown option
  createRealtimeAppointments({ backendURL: 'http://localhost:3001' });
  return [await bot.emitAppointmentUpdated('id'), await emitAppointmentCreated('id'), await emitAppointmentDeleted('id', 'company')];
}

const getToken = () => Promise.resolve('token');

export function connect(url: string): Dashboard<MyAppointment> {
  const dashboard = connectDashboard<MyAppointment>({
    url,
    getToken,
    loadSnapshot: (token) => fetchAppointments<MyAppointment>({ url, token, from: new Date(), to: new Date() }),
  });
  dashboard.on('appointment:updated', ({ appointment }, meta) => {
    const weight: number | null | undefined = appointment.petId?.weight;
    const canceledAt: string | null = appointment.canceledAt;
    // @ts-expect-error: not in the model
    console.log(weight, canceledAt, meta.offset, appointment.customerId);
  });
  const events: readonly AppointmentEvent[] = APPOINTMENT_EVENTS;
  console.log(events[0]?.length);
  return dashboard;
}

export function useDay(url: string, from: string, to: string): readonly string[] {
  const { appointments, reload } = useAppointments<MyAppointment>({ url, getToken, from, to });
  void reload();
  const first = appointments[0];
  // @ts-expect-error: the day may have no appointment
  console.log(first._id);
  return appointments.map(({ petId }) => petId?.name ?? '');
}

export const api = createApi({
  baseQuery: fakeBaseQuery<{ message: string }>(),
  tagTypes: ['Appointment'],
  endpoints: (build) => ({
    appointments: build.query<CachedAppointments<MyAppointment>, { from: string; to: string }>(
      followAppointments((range: { from: string; to: string }) => ({ url: '/', getToken, ...range })),
    ),
  }),
});
export const stop = invalidateOnChange(connect('/'), (ids) => {
  const tags = ids?.map((id) => ({ type: 'Appointment' as const, id })) ?? ['Appointment' as const];
  api.util.invalidateTags(tags);
});
`;
