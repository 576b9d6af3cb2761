import { serveEmit } from './express-publisher.ts';
import { createSockudoPublish } from './sockudo-api.ts';

const publish = createSockudoPublish(process.env['SOCKUDO_URL']!);

await serveEmit((companyId, event, data) => publish(companyId, event, JSON.stringify(data)));
