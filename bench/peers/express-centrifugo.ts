import express from 'express';
import type { AddressInfo } from 'node:net';
import { createConnection } from 'mongoose';
import { companyRoom } from '@appointment-emissions/contracts';
import { createMongooseModels } from '../../demo/models.ts';

/** The baseline of `latency` with Centrifugo in place of Socket.IO: loads, populates, publishes, then replies. */
const connection = createConnection();
await connection.openUri(process.env['MONGODB_URI']!);
const { Appointment } = createMongooseModels(connection);
const publishUrl = `${process.env['CENTRIFUGO_URL']!}/api/publish`;
const headers = {
  'content-type': 'application/json',
  'x-api-key': process.env['INTERNAL_SERVICE_API_KEY']!,
};

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
  const data = { event: 'appointment:updated', appointment };
  const body = JSON.stringify({ channel: companyRoom(String(appointment.companyId)), data });
  const response = await fetch(publishUrl, { method: 'POST', headers, body });
  const reply = (await response.json()) as { error?: { message: string } };
  if (!response.ok || reply.error) {
    res.status(502).json({ success: false });
    return;
  }
  res.status(202).json({ success: true, appointmentId });
});
const server = app.listen(0, () => {
  process.send?.({ url: `http://localhost:${(server.address() as AddressInfo).port}` });
});
