import { fileURLToPath } from 'node:url';
import express from 'express';
import { requireUser } from './auth.js';
import { logger } from './logger.js';
import { appointmentRoutes } from './routes/appointments.js';
import { internalRoutes } from './routes/internal.js';

const DUPLICATE_KEY = 11_000;

export const app = express();
app.use('/api/v1/internal', internalRoutes);
app.use(express.json());
app.use('/api/v1/appointments', requireUser, appointmentRoutes);
app.use(express.static(fileURLToPath(new URL('public', import.meta.url))));
app.use((error, req, res, _next) => {
  if (error.code === DUPLICATE_KEY) {
    res.status(409).json({ error: { code: 'TIME_TAKEN', message: 'This time is taken' } });
    return;
  }
  logger.error(`${req.method} ${req.path} failed`, { error: error.message });
  res.status(500).json({ error: { code: 'INTERNAL', message: 'Something went wrong' } });
});
