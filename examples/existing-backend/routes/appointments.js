import { Router } from 'express';
import { Appointment, APPOINTMENT_PATHS } from '../models/index.js';
import {
  bookAppointment,
  cancelAppointment,
  deleteAppointment,
  editAppointment,
} from '../services/booking.js';

export const appointmentRoutes = Router();

/** A groomer sees only their own appointments. */
appointmentRoutes.get('/', async (req, res) => {
  const { companyId, role, userId } = req.user;
  const { from, to } = req.query;
  const appointments = await Appointment.find({
    companyId,
    start: { $gte: new Date(from), $lt: new Date(to) },
    ...(role === 'groomer' && { staffId: userId }),
  })
    .sort('start')
    .populate(APPOINTMENT_PATHS);
  res.json({ appointments });
});

appointmentRoutes.post('/', async (req, res) => {
  const { customerId, petId, serviceId, serviceItemId, staffId, start, end, notes } = req.body;
  const fields = { customerId, petId, serviceId, serviceItemId, staffId, start, end, notes };
  res.status(201).json({ appointment: await bookAppointment(req.user.companyId, fields) });
});

appointmentRoutes.patch('/:id', async (req, res) => {
  const { staffId, start, end, status, notes } = req.body;
  const given = Object.entries({ staffId, start, end, status, notes }).filter(([, value]) => value);
  reply(res, await editAppointment(req.user.companyId, req.params.id, Object.fromEntries(given)));
});

appointmentRoutes.post('/:id/cancel', async (req, res) => {
  reply(res, await cancelAppointment(req.user.companyId, req.params.id, req.body));
});

appointmentRoutes.delete('/:id', async (req, res) => {
  const isDeleted = await deleteAppointment(req.user.companyId, req.params.id);
  res.sendStatus(isDeleted ? 204 : 404);
});

function reply(res, appointment) {
  if (appointment) res.json({ appointment });
  else res.status(404).json({ error: { code: 'NOT_FOUND', message: 'There is no such appointment' } });
}
