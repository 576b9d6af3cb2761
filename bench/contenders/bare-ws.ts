import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ws } from '../harness/ws.ts';

/** The baseline of `fanout`: `ws` writes one prepared frame to every client. */
const server = createServer();
const { clients } = new ws.Server({ server, perMessageDeflate: false });
process.on('message', ({ broadcast }: { broadcast?: string }) => {
  if (broadcast === undefined) return;
  const options = { fin: true, opcode: 1, mask: false, rsv1: false, readOnly: false } as const;
  const frame = [Buffer.concat(ws.Sender.frame(Buffer.from(broadcast), options))];
  for (const client of clients) client._sender.sendFrame(frame);
});
server.listen(0, () => {
  process.send?.({ url: `http://localhost:${(server.address() as AddressInfo).port}` });
});
