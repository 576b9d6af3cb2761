import { companyRoom } from '@appointment-emissions/contracts';
import { postJson, serveEmit } from './express-publisher.ts';

const url = `${process.env['CENTRIFUGO_URL']!}/api/publish`;
const headers = { 'x-api-key': process.env['INTERNAL_SERVICE_API_KEY']! };

await serveEmit(async (companyId, event, data) => {
  const body = JSON.stringify({ channel: companyRoom(companyId), data: { event, ...data } });
  const reply = await postJson(url, body, headers);
  const { error } = JSON.parse(reply.text) as { error?: { message: string } };
  if (error) throw new Error(`Centrifugo did not publish: ${error.message}`);
});
