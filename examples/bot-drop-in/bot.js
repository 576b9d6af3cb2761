/** Runs the tool calls of a language model: one JSON object per line, {"tool": …, "args": {…}, "context": {…}}. */
import { createInterface } from 'node:readline';
import mongoose from 'mongoose';
import { config } from './config.js';
import { bookAppointment } from './handlers/bookAppointment.js';
import { cancelAppointment } from './handlers/cancelAppointment.js';
import { rescheduleAppointment } from './handlers/rescheduleAppointment.js';
import { closeRealtimeAppointments } from './utils/realtimeAppointments.js';

const handlers = {
  book_appointment: bookAppointment,
  reschedule_appointment: rescheduleAppointment,
  cancel_appointment: cancelAppointment,
};

await mongoose.connect(config.mongoUri);
for await (const line of createInterface({ input: process.stdin })) {
  const { tool, args, context } = JSON.parse(line);
  console.log(JSON.stringify(await handlers[tool](args, context)));
}
await closeRealtimeAppointments();
await mongoose.disconnect();
