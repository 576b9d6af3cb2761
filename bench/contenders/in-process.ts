import express from 'express';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createConnection } from 'mongoose';
import { companyRoom } from '@appointment-emissions/contracts';
import { createMongooseModels } from '../../demo/models.ts';
import { openRooms } from '../harness/rooms.ts';

/** The baseline of `latency`: no queue and no worker. The request handler loads, populates and emits, then replies. */
const connection = createConnection();
await connection.openUri(process.env['MONGODB_URI']!);
const { Appointment } = createMongooseModels(connection);
const app = express();
const server = createServer(app);
const io = openRooms(server);
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
  io.to(companyRoom(String(appointment.companyId))).emit('appointment:updated', { appointment }, {});
  res.status(202).json({ success: true, appointmentId });
});
server.listen(0, () => {
  process.send?.({ url: `http://localhost:${(server.address() as AddressInfo).port}` });
});
