import type { RequestHandler } from 'express';
import { loadServiceKeys } from '../config.ts';
import { authenticateService } from '../http/middleware/authenticate.ts';
import type { Middleware } from './options.ts';

export { createEmissions } from './create-emissions.ts';
export { defineModel, type ModelDescription, type SnapshotOf } from '../model/description.ts';
export { fromMongoose, type FromMongooseOptions, type PopulatePath } from '../model/from-mongoose.ts';
export type {
  AdminRouterOptions,
  AnnounceWrite,
  ApplicationLogger,
  ApplicationSocket,
  AttachOptions,
  DashboardRouterOptions,
  Emissions,
  EmissionsOptions,
  Middleware,
  MongooseConnection,
  SocketIoServer,
  TransactionSession,
  WriteOptions,
} from './options.ts';

let ready: RequestHandler | undefined;

/**
 * Requires `x-api-key` for a route of the application's own: 401 if it is missing, 403 if it is wrong. Reads
 * `INTERNAL_SERVICE_API_KEY` at the first request. `emissions.router` has the same check, with rate limits.
 * @example app.post('/api/v1/internal/reports', authenticateInternalService, createReport);
 */
export const authenticateInternalService: Middleware = (req, res, next) => {
  ready ??= authenticateService(loadServiceKeys(process.env));
  (ready as unknown as Middleware)(req, res, next);
};
