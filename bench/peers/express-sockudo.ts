import { serveEmit } from '../harness/serve-emit.ts';
import { createSockudoPublish } from './sockudo-api.ts';

const publish = createSockudoPublish(process.env['SOCKUDO_URL']!);

/** The baseline of `latency` with Sockudo in place of Socket.IO. */
await serveEmit(() => (companyId, event, data) => publish(companyId, event, JSON.stringify(data)));
