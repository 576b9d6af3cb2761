import express from 'express';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createConnection } from 'mongoose';
import { createMongooseModels } from '../../demo/models.ts';

type Publish = (companyId: string, event: string, data: object) => Promise<void> | void;

/**
 * An API without a queue and without a worker: its request handler loads, populates and publishes, then replies.
 * @param open  makes what publishes, given the server, which does not listen yet
 */
export async function serveEmit(open: (server: Server) => Publish): Promise<void> {
  const connection = createConnection();
  await connection.openUri(process.env['MONGODB_URI']!);
  const { Appointment } = createMongooseModels(connection);
  const app = express();
  const server = createServer(app);
  const publish = open(server);
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
  server.listen(0, () => {
    process.send?.({ url: `http://localhost:${(server.address() as AddressInfo).port}` });
  });
}
