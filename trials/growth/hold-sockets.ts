import { readFileSync } from 'node:fs';
import { signToken } from '../../test/harness/dashboard.ts';
import { JWT_SECRET } from '../../bench/harness/environment.ts';
import { openLightSocket, openMany } from '../../bench/harness/light-socket.ts';

/*
 * Idle dashboards of the gateway at HOLD_URL, one for each company id in the file HOLD_COMPANIES, in a process of their own: a
 * process has 20,000 descriptors here. It is ready when all of them are connected.
 */

const HANDSHAKE_CONCURRENCY = 200;
/** Sockets from one address, which has 28,000 ports and a limit at the gateway. */
const PER_ADDRESS = 5_000;

const url = process.env['HOLD_URL']!;
const companyIds = JSON.parse(readFileSync(process.env['HOLD_COMPANIES']!, 'utf8')) as string[];
await openMany(companyIds.length, HANDSHAKE_CONCURRENCY, async (index) => {
  const token = await signToken(JWT_SECRET, companyIds[index]!, '1h');
  await openLightSocket({
    ...{ url, auth: { token }, onEvent: () => undefined },
    localAddress: `127.0.${(process.pid % 200) + 1}.${Math.floor(index / PER_ADDRESS) + 1}`,
    onFault: (error) => {
      throw error;
    },
  });
});
process.send?.({ ready: true });
