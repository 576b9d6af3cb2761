import { io } from '/socket.io/socket.io.esm.min.js';
import { createPage } from './page.js';

const EVENTS = ['appointment:created', 'appointment:updated', 'appointment:canceled'];
/** The token of the signed-in user. The login page is left out here. */
const token = location.hash.slice(1);

const page = createPage(token);
const socket = io({ auth: { token } });
page.onPresence(() => socket.emitWithAck('presence'));

for (const event of EVENTS) {
  socket.on(event, ({ appointment }) => {
    page.showLatest(event, appointment);
    page.refresh();
  });
}
socket.on('connect', () => page.showState('live'));
socket.on('disconnect', () => page.showState('connecting'));
page.refresh();
