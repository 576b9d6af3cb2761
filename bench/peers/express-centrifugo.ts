import { companyRoom } from '@appointment-emissions/contracts';
import { serveEmit } from '../harness/serve-emit.ts';
import { postJson } from './post-json.ts';

const url = `${process.env['CENTRIFUGO_URL']!}/api/publish`;
const headers = { 'x-api-key': process.env['INTERNAL_SERVICE_API_KEY']! };

/** The baseline of `latency` with Centrifugo in place of Socket.IO. */
await serveEmit(() => async (companyId, event, data) => {
  const body = JSON.stringify({ channel: companyRoom(companyId), data: { event, ...data } });
  const reply = await postJson(url, body, headers);
  const { error } = JSON.parse(reply.text) as { error?: { message: string } };
  if (error) throw new Error(`Centrifugo did not publish: ${error.message}`);
});
