import express, { type Express } from 'express';

/** Parses the JSON body and replies. */
export function createBareHandler(): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(express.json());
  app.post('/emit', (req, res) => {
    const { appointmentId } = req.body as { appointmentId: string };
    res.status(202).json({ success: true, event: 'appointment:created', appointmentId });
  });
  return app;
}
