import { createServer } from 'node:http';
import mongoose from 'mongoose';
import { app } from './app.js';
import { config } from './config.js';
import { createSocketServer } from './realtime/socket.js';

await mongoose.connect(config.mongoUri);
const server = createServer(app);
const io = createSocketServer(server);
server.listen(config.port, () => {
  console.log(`listening on http://localhost:${server.address().port}`);
});

process.once('SIGTERM', async () => {
  // Browsers open connections in advance. Without a request they would keep the server open.
  setTimeout(() => server.closeAllConnections(), 1_000).unref();
  await io.close();
  await mongoose.disconnect();
});
