/**
 * A bot that executes the tool calls of a language model. It saves each booking in MongoDB, emits it to the dashboards and
 * returns the result. In your project, replace `createBookingService` with your own BookingService.
 */
import mongoose from 'mongoose';
import { createInterface } from 'node:readline';
import * as realtime from '@appointment-emissions/bot';
import { createBookingService } from '../demo/booking-service.ts';

const { MONGODB_URI = '', COMPANY_ID = '', LOG_DIR = 'logs' } = process.env;
const connection = await mongoose.createConnection(MONGODB_URI).asPromise();
const bookings = createBookingService({ connection, companyId: COMPANY_ID });
const logger = realtime.createMessageFlowLogger({ logDir: LOG_DIR });
const tools = realtime.createToolHandlers({ bookings, realtime, logger });

// Pass tools.definitions to the model. This example reads the model's tool calls from standard input, one JSON object per
// line: {"name": …, "arguments": {…}}
for await (const line of createInterface({ input: process.stdin })) {
  const call = JSON.parse(line) as { name: string; arguments: unknown };
  console.log(JSON.stringify(await tools.handle(call.name, call.arguments)));
}
await tools.close();
await realtime.closeRealtimeAppointments();
await logger.close();
await connection.close();
