import type { AddressInfo } from 'node:net';
import { createHttpServer } from '../../src/http/server.ts';
import { createBareHandler } from '../harness/bare-handler.ts';

/** The bare handler on our HTTP server, which creates requests with the prototypes that Express would set later. */
const { server, serve } = createHttpServer({
  MAX_HEADER_BYTES: 16_384,
  MAX_HEADERS: 100,
  HEADERS_TIMEOUT_MS: 10_000,
  REQUEST_TIMEOUT_MS: 10_000,
  KEEP_ALIVE_TIMEOUT_MS: 5_000,
});
serve(createBareHandler());
server.listen(0, () => {
  process.send?.({ url: `http://localhost:${(server.address() as AddressInfo).port}` });
});
