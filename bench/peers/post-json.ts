import express from 'express';
import { Agent, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { createConnection } from 'mongoose';
import { createMongooseModels } from '../../demo/models.ts';

/** Connections that are idle for longer are closed: the server closes them after 30 s, perhaps as a request is on its way. */
const agent = new Agent({ keepAlive: true, timeout: 10_000 });

/** POSTs JSON and resolves to the reply. With `node:http`: `fetch` takes about a millisecond longer. */
export function postJson(
  url: string,
  body: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      ...headers,
    };
    request(url, { agent, method: 'POST', headers: sent }, (response) => {
      text(response).then((reply) => {
        resolve({ status: response.statusCode ?? 0, text: reply });
      }, reject);
    })
      .on('error', reject)
      .end(body);
  });
}

/** The baseline of `latency` with another server in place of Socket.IO: loads, populates, publishes, then replies. */
export async function serveEmit(
  publish: (companyId: string, event: string, data: object) => Promise<void>,
): Promise<void> {
  const connection = createConnection();
  await connection.openUri(process.env['MONGODB_URI']!);
  const { Appointment } = createMongooseModels(connection);
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
    await publish(String(appointment.companyId), 'appointment:updated', { appointment });
    res.status(202).json({ success: true, appointmentId });
  });
  const server = app.listen(0, () => {
    process.send?.({ url: `http://localhost:${(server.address() as AddressInfo).port}` });
  });
}
