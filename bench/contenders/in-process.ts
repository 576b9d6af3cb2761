import { companyRoom } from '@appointment-emissions/contracts';
import { openRooms } from '../harness/rooms.ts';
import { serveEmit } from '../harness/serve-emit.ts';

/** The baseline of `latency`: the process that handles the request emits. */
await serveEmit((server) => {
  const io = openRooms(server);
  return (companyId, event, data) => {
    io.to(companyRoom(companyId)).emit(event, data, {});
  };
});
