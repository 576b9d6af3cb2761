/**
 * Limits that are not settings: their values suit every deployment that we know. They are part of the configuration object, so
 * that a test can lower one. "Limits" in docs/reference/configuration.md has those that a client can exceed.
 */

/** Limits of the API and of workers. */
export const SHARED_LIMITS = {
  /** How long a process may take to end after a SIGTERM. `npm start`, docker-compose.yml and the Helm chart wait longer before they kill. */
  SHUTDOWN_DEADLINE_MS: 9_000,
};

/** Limits of the API and its gateway. */
export const API_LIMITS = {
  ...SHARED_LIMITS,
  /** After `SHUTDOWN_DRAIN_MS`. */
  SHUTDOWN_DEADLINE_MS: 7_000,
  /** A catch-up from further back is answered `recovered: false`: for a dashboard the list is then faster. */
  MAX_REPLAYED_EMISSIONS: 1_000,
  /** How long an `Idempotency-Key` is remembered: longer than a caller repeats its request. */
  IDEMPOTENCY_TTL_SECONDS: 3_600,
  /** Share of the time, 0 to 1, in which the event loop may be busy; above it the API leaves live emissions to workers. */
  MAX_DIRECT_UTILIZATION: 0.7,

  // Requests
  /** Body of a single emission; a larger one gets 413. */
  MAX_BODY_BYTES: 4_096,
  /** Body of a batch: 1,000 emissions take about 90 kB. */
  MAX_BATCH_BYTES: 131_072,
  /** All headers of a request together; above it 431. */
  MAX_HEADER_BYTES: 16_384,
  /** Headers of a request. Node 20 drops further ones, later versions answer 431. */
  MAX_HEADERS: 100,
  /** How long a client may take to send its headers; then 408. */
  HEADERS_TIMEOUT_MS: 10_000,
  /** How long a client may take to send its whole request; then 408. */
  REQUEST_TIMEOUT_MS: 15_000,
  /** How long a client may read nothing of a waiting response. One that reads slowly is not disconnected. */
  RESPONSE_STALL_TIMEOUT_MS: 30_000,
  /** TCP connections of one address to this process. Not counted if TRUST_PROXY is set. */
  MAX_CONNECTIONS_PER_ADDRESS: 20_000,
  /** Lists and catch-ups of one viewer, on average over 10 s: of a `sub`, or of tokens with the same claims. */
  MAX_LISTS_PER_VIEWER_PER_SECOND: 20,
  /** Wrong keys and tokens of one address, by HTTP or socket, and wrong passwords of operators. */
  MAX_AUTH_FAILURES_PER_MINUTE: 100,

  // Sockets
  /** Dashboards of one company on this gateway; further ones get `RATE_LIMITED`. */
  MAX_SOCKETS_PER_COMPANY: 5_000,
  /** Sockets of one address on this gateway; further ones are closed. */
  MAX_SOCKETS_PER_ADDRESS: 10_000,
  /** Messages of one dashboard, on average over 10 s; above it the connection is closed. */
  MAX_MESSAGES_PER_SECOND: 20,
  /** A client's message; a larger one closes the connection. */
  MAX_MESSAGE_BYTES: 16_384,
  /** Catch-ups of one socket, on average over 10 s; above it they get `rate-limited`. */
  MAX_CATCH_UPS_PER_SECOND: 1,
  /** Unsent bytes for a client that does not read; more at two checks in a row, one second apart, close the connection. */
  MAX_UNSENT_BYTES: 8_388_608,
};

export type ApiLimits = typeof API_LIMITS;
