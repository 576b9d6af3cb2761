import { createRealtimeAppointments } from '@appointment-emissions/bot';
import type { AppointmentList, StreamPosition } from '@appointment-emissions/contracts';
import { fromMongoose } from '../../src/embedded/index.ts';
import { type Pair, PAIRS, startApplication } from '../embedded/application.ts';
import { type Dashboard, openDashboard } from '../harness/dashboard.ts';
import { type Company, createDocuments, type DocumentCollections } from '../harness/documents.ts';
import { freshDir } from '../harness/own-services.ts';
import { API_KEY, createWorld, type World } from '../harness/world.ts';
import { defineBackendModels } from '../model/backend-mongoose.ts';
import { model as backendModel } from '../model/backend-model.ts';
import { writeModel } from '../model/write-model.ts';

export type EventName = 'created' | 'updated' | 'canceled';

/** The pipeline in one of its forms, over the appointments of one company. */
export interface Running {
  world: World;
  company: Company;
  /** Of another company. */
  other: Company;
  collections: DocumentCollections;
  /** Announces a write, as the bot or the application does. */
  announce: (event: EventName, appointmentId: string) => Promise<boolean>;
  announceDeletion: (appointmentId: string) => Promise<boolean>;
  /** Connects a dashboard of the company. */
  open: (position?: StreamPosition) => Promise<Dashboard>;
  /** Reads the list of appointments. */
  list: () => Promise<AppointmentList>;
}

export interface Deployment {
  name: string;
  /** Fields of a snapshot that only this model sends. */
  ownFields: readonly string[];
  /** The statuses that mean canceled. */
  canceled: readonly string[];
  start: () => Promise<Running>;
}

const BACKEND = { ownFields: ['canceledAt', 'cancellationReason'], canceled: ['canceled', 'no_show'] };

export const DEPLOYMENTS: readonly Deployment[] = [
  {
    name: 'the default model, with an API process and a worker process',
    ownFields: [],
    canceled: ['canceled'],
    start: () => startProcesses(),
  },
  {
    name: 'a model by EMISSIONS_MODEL, with an API process and a worker process',
    ...BACKEND,
    start: () => startProcesses(writeModel(backendModel)),
  },
  ...PAIRS.map((pair) => ({
    name: `models of mongoose by fromMongoose, embedded in an application with ${pair.name}`,
    ...BACKEND,
    start: () => startEmbedded(pair),
  })),
];

const ENV = { RECONCILE_INTERVAL_MS: '200' };

/** The stand-alone form. The bot's library announces the writes. */
async function startProcesses(modelFile?: string): Promise<Running> {
  const world = await createWorld({ env: { ...ENV, ...(modelFile && { EMISSIONS_MODEL: modelFile }) } });
  const collections = modelFile ? backendCollections(world) : world.documents.models;
  const { company: createCompany } = createDocuments(collections);
  const [company, other] = [await createCompany(), await createCompany()];
  const [api] = await Promise.all([world.apiProcess(), world.workerProcess()]);
  const bot = createRealtimeAppointments({
    backendUrl: api.url,
    apiKey: API_KEY,
    logDir: freshDir('logs'),
    deadlineMs: 30_000,
    attemptTimeoutMs: 10_000,
  });
  world.keep(bot, bot.close);
  const calls = {
    created: bot.emitAppointmentCreated,
    updated: bot.emitAppointmentUpdated,
    canceled: bot.emitAppointmentCanceled,
  };
  return {
    world,
    company,
    other,
    collections,
    announce: (event, appointmentId) => calls[event](appointmentId),
    announceDeletion: (appointmentId) => bot.emitAppointmentDeleted(appointmentId, company.companyId),
    open: (position) => world.dashboard(api, company.companyId, position && { position }),
    list: () => readList(world, api.url, company),
  };
}

/** The embedded form, with the worker in the application's process. The application announces its own writes. */
async function startEmbedded(pair: Pair): Promise<Running> {
  const world = await createWorld({ env: ENV });
  const collections = backendCollections(world);
  const { company: createCompany } = createDocuments(collections);
  const [company, other] = [await createCompany(), await createCompany()];
  const { url, emissions } = await startApplication(world, pair, {
    describeModel: (connection) =>
      fromMongoose(
        defineBackendModels(connection).Appointment,
        'customerId petId serviceId serviceItemId staffId',
        {
          fields: ['locationId', 'source', 'notes', ...BACKEND.ownFields],
          status: { canceled: BACKEND.canceled },
        },
      ),
  });
  return {
    world,
    company,
    other,
    collections,
    announce: (event, appointmentId) => emissions[event](appointmentId),
    announceDeletion: (appointmentId) => emissions.deleted(appointmentId, company.companyId),
    async open(position) {
      const token = await world.token(company.companyId);
      const auth = { token, positions: true, ...(position && { position }) };
      const dashboard = await openDashboard({ url, token, socketOptions: { auth } });
      return world.keep(dashboard, dashboard.close);
    },
    list: () => readList(world, url, company),
  };
}

async function readList(world: World, url: string, { companyId }: Company): Promise<AppointmentList> {
  const headers = { authorization: `Bearer ${await world.token(companyId)}` };
  const response = await fetch(`${url}/api/v1/dashboard/appointments`, { headers });
  return (await response.json()) as AppointmentList;
}

/** Where the documents of backend-model.ts are. */
function backendCollections({ models: { connection } }: World): DocumentCollections {
  const at = (name: string) => ({ collection: connection.collection(name) });
  return {
    Appointment: at('appointments'),
    Customer: at('contacts'),
    Pet: at('pets'),
    Service: at('servicecategories'),
    ServiceItem: at('serviceitems'),
    Staff: at('users'),
  };
}
