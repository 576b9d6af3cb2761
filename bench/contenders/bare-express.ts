import type { AddressInfo } from 'node:net';
import { createBareHandler } from '../harness/bare-handler.ts';

/** The baseline of `post`: Express parses JSON and replies. */
const server = createBareHandler().listen(0, () => {
  process.send?.({ url: `http://localhost:${(server.address() as AddressInfo).port}` });
});
