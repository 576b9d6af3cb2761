import type { AddressInfo } from 'node:net';
import { createBareHandler } from '../harness/bare-handler.ts';

/** 1.00: Express reads JSON and answers, and does nothing else. */
const server = createBareHandler().listen(0, () => {
  process.send?.({ url: `http://localhost:${(server.address() as AddressInfo).port}` });
});
