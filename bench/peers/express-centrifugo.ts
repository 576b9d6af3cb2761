import express from 'express';
import { Agent, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { createConnection } from 'mongoose';
import { companyRoom } from '@appointment-emissions/contracts';
import { createMongooseModels } from '../../demo/models.ts';

/** The baseline of `latency` with Centrifugo in place of Socket.IO: loads, populates, publishes, then replies. */
const connection = createConnection();
await connection.openUri(process.env['MONGODB_URI']!);
const { Appointment } = createMongooseModels(connection);
const publishUrl = `${process.env['CENTRIFUGO_URL']!}/api/publish`;
/** Centrifugo closes a connection that was idle for 30 s. A request on it at that moment would fail. */
const agent = new Agent({ keepAlive: true, timeout: 10_000 });

/** With `node:http`: `fetch` takes about a millisecond longer. @throws if Centrifugo does not publish */
async function publish(channel: string, data: object): Promise<void> {
  const body = JSON.stringify({ channel, data });
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'x-api-key': process.env['INTERNAL_SERVICE_API_KEY']!,
  };
  const reply = await new Promise<unknown>((resolve, reject) => {
    request(publishUrl, { agent, method: 'POST', headers }, (response) => {
      json(response).then(resolve, reject);
    })
      .on('error', reject)
      .end(body);
  });
  const { error } = reply as { error?: { message: string } };
  if (error) throw new Error(`Centrifugo did not publish: ${error.message}`);
}

const app = express();
app.use(express.json());
app.post('/emit', async (req, res) => {
  const { appointmentId } = req.body as { appointmentId: string };
  const appointment = await Appointment.findById(appointmentId)
    .populate(['customerId', 'petId', 'serviceId', 'serviceItemId', 'staffId'])
    .lean();
  if (!appointment) {
    res.status(404).json({ success: false });
    return;
  }
  await publish(companyRoom(String(appointment.companyId)), { event: 'appointment:updated', appointment });
  res.status(202).json({ success: true, appointmentId });
});
const server = app.listen(0, () => {
  process.send?.({ url: `http://localhost:${(server.address() as AddressInfo).port}` });
});
