import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ModelDescription } from '../model/description.ts';

/*
 * The types of the package's export. They describe what is used of the application's mongoose, Express and Socket.IO, so that
 * they fit each supported version.
 */

/** A connection of mongoose 8 or 9. It is used for reads, and never closed. */
export interface MongooseConnection {
  readonly readyState: number;
  readonly base: unknown;
  collection: (name: string) => unknown;
}

/** A Socket.IO 4 server. */
export interface SocketIoServer {
  of: (namespace: string) => unknown;
  use: unknown;
  sockets: unknown;
}

/** The properties of a socket that every Socket.IO 4 version has. Cast it to the `Socket` of your Socket.IO for more. */
export interface ApplicationSocket {
  readonly id: string;
  // As in Socket.IO: the application sets it, so only its code knows the type. With `unknown`, each `companyOf` would need a cast.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly data: any;
  readonly handshake: { readonly auth: Readonly<Record<string, unknown>> };
  readonly request: IncomingMessage;
}

export interface AttachOptions {
  /**
   * Names the company of a socket after the application has authenticated it. Return nothing for a socket that is no dashboard.
   * Take the company from a verified login, never from what the client sends.
   * @example companyOf: (socket) => socket.data.user.companyId
   */
  companyOf: (socket: ApplicationSocket) => unknown;
  /**
   * Names what the user of a dashboard's socket may see: a scope such as `{ staffId, hide: ['customerId.email'] }`, or undefined for
   * the whole company. It is read once for each connection. If it throws or returns anything else, the socket gets no emissions.
   * @example scopeOf: ({ data: { user } }) => (user.role === 'groomer' ? { staffId: user.id } : undefined)
   */
  scopeOf?: (socket: ApplicationSocket) => unknown;
  /** Names the user of a socket, so that an operator can disconnect this user. Without it only whole companies can be disconnected. */
  userOf?: (socket: ApplicationSocket) => unknown;
}

export interface DashboardRouterOptions<Request extends IncomingMessage> {
  /**
   * Names the company whose appointments a request gets. Return nothing for a request without a login: the answer is 401.
   */
  companyOf: (request: Request) => unknown;
  /**
   * Names what the user may see, as {@link AttachOptions.scopeOf} does. Required if that is given. If it throws or returns
   * anything but a scope or undefined, the answer is 403.
   */
  scopeOf?: (request: Request) => unknown;
}

export interface AdminRouterOptions {
  /** Below it are the page (`/admin/`), its API and Bull Board. Default: `/emissions`. */
  path?: string;
}

/** A logger of the application, such as one of winston. */
export interface ApplicationLogger {
  info: (message: string, fields?: object) => unknown;
  /** `warning` works too. */
  warn?: ((message: string, fields?: object) => unknown) | undefined;
  warning?: ((message: string, fields?: object) => unknown) | undefined;
  error: (message: string, fields?: object) => unknown;
}

export interface EmissionsOptions extends Partial<AttachOptions> {
  connection: MongooseConnection;
  /** As in the setting `REDIS_URL`. */
  redis: string;
  /** With `companyOf`: attaches to this server at once, as {@link Emissions.attach} does. */
  io?: SocketIoServer;
  /** How the application stores its appointments: `defineModel({ … })` or `fromMongoose(Appointment, populate)`. */
  model?: ModelDescription;
  /**
   * Further settings by their names, for example `process.env`. `INTERNAL_SERVICE_API_KEY` is needed for the router, `ADMIN_USER`
   * and `ADMIN_PASSWORD` for the operator's page.
   * docs/reference/configuration.md lists them.
   */
  settings?: Readonly<Record<string, string | undefined>>;
  /** Default: JSON lines on the standard output. */
  logger?: ApplicationLogger;
}

/** A session of MongoDB's driver, as mongoose returns it. */
export interface TransactionSession {
  inTransaction: () => boolean;
  commitTransaction: (...options: never[]) => Promise<unknown>;
}

export interface WriteOptions {
  /**
   * The session of the write. In a transaction the emission is enqueued once, after the commit, and never after an abort; then
   * `true` means that it will be enqueued after the commit.
   */
  session?: TransactionSession | null | undefined;
}

/** Announces a write of the application itself. Never rejects. `false` if it failed; a line in the log says why. */
export type AnnounceWrite = (appointmentId: unknown, options?: WriteOptions) => Promise<boolean>;

/** A middleware or router for Express 4 and 5. */
export type Middleware = (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void;

export interface Emissions {
  /** The internal API: `app.use('/api/v1/internal', emissions.router)`. */
  readonly router: Middleware;
  /**
   * The list for the dashboard library, behind the application's own login: `GET /appointments`. It has no rate limit of its own.
   * @example
   * ```ts
   * const companyOf = (req: Request) => req.user.companyId;
   * app.use('/api/v1/dashboard', requireLogin, emissions.dashboardRouter({ companyOf }));
   * ```
   */
  dashboardRouter: <Request extends IncomingMessage>(options: DashboardRouterOptions<Request>) => Middleware;
  /**
   * The operator's page, with Bull Board: `app.use(emissions.adminRouter())` serves it at `/emissions/admin/`. Operators sign in
   * with the settings `ADMIN_USER` and `ADMIN_PASSWORD`; `ADMIN_WRITES=on` allows repairs. `OPERATORS_FILE` names several operators.
   * @throws ConfigError with every problem of these settings, or if `path` is not a path
   */
  adminRouter: (options?: AdminRouterOptions) => Middleware;
  /**
   * Serves dashboards on the application's Socket.IO server, beside its own handlers, rooms, namespaces and logins. Resolves when
   * Redis and MongoDB are connected, or after 1.5 s. Calls of `created` and so on may fail before.
   * @throws Error if the server's Redis adapter has the key `SOCKET_ADAPTER_KEY`, if a pipeline is attached to the server already, or
   * after `close`; ConfigError if an argument is wrong, or if Redis has no database of the number in `redis`
   */
  attach: (io: SocketIoServer, options: AttachOptions) => Promise<void>;
  readonly created: AnnounceWrite;
  readonly updated: AnnounceWrite;
  readonly canceled: AnnounceWrite;
  /**
   * Announces a deletion, with the company of the appointment, since its document may be gone. If the appointment still exists,
   * dashboards receive `appointment:updated`.
   */
  readonly deleted: (appointmentId: unknown, companyId: unknown, options?: WriteOptions) => Promise<boolean>;
  /** Starts a worker in this process. Without it, at least one worker process is needed. Calling it again does nothing. */
  startWorker: () => void;
  /** Ends everything that was started here. Idempotent. The application's connection and Socket.IO server stay open. */
  close: () => Promise<void>;
}
