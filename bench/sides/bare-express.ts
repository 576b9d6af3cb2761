import express from 'express';
import type { AddressInfo } from 'node:net';

/** 1.00: Express reads JSON and answers, and does nothing else. */
const app = express();
app.disable('x-powered-by');
app.use(express.json());
app.post('/emit', (req, res) => {
  const { appointmentId } = req.body as { appointmentId: string };
  res.status(202).json({ success: true, event: 'appointment:created', appointmentId });
});
const server = app.listen(0, () => {
  process.send?.({ url: `http://localhost:${(server.address() as AddressInfo).port}` });
});
