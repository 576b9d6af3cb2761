import { randomBytes } from 'node:crypto';
import { fetchAppointments, type ListError } from '@appointment-emissions/dashboard';
import { signToken } from '../../test/harness/dashboard.ts';
import type { Spawned } from '../../test/harness/processes.ts';
import { until } from '../../test/harness/until.ts';
import type { World } from '../../test/harness/world.ts';
import { createBalancer } from '../chaos/balancer.ts';

/** APIs and workers that are replaced during the run, beside the measured ones, which run for all of it. */
export interface Deployment {
  /** The address of its APIs. */
  url: string;
  /** The current API key. */
  key: () => string;
  /** A token of the current secret. */
  token: (companyId: string) => Promise<string>;
  /** Replaces the processes one by one: starts the next one, then terminates the oldest. */
  deploy: () => Promise<void>;
  /** Adds an API and a worker. */
  scaleUp: () => Promise<void>;
  /** Terminates an API and a worker. */
  scaleDown: () => Promise<void>;
  /** Replaces the API key and the secret of tokens, and deploys twice: with both keys, and without the old one. */
  rotate: () => Promise<void>;
  /** Number of processes started. */
  readonly started: number;
  /** Processes that did not end as they should, and old keys that were accepted. */
  violations: string[];
}

const ROLES = ['api', 'worker'] as const;
type Role = (typeof ROLES)[number];
const MAX_EXIT_MS = 60_000;

/** Starts an API and a worker. */
export async function openDeployment(world: World): Promise<Deployment> {
  const balancer = await createBalancer();
  world.keep(balancer, balancer.close);
  const running: Record<Role, Spawned[]> = { api: [], worker: [] };
  const violations: string[] = [];
  let started = 0;
  let key = newSecret();
  let accepted = [key];
  let tokenSecret = newSecret();

  function route(): void {
    balancer.route(...running.api.map(({ url }) => url));
  }
  async function start(role: Role): Promise<void> {
    const settings = { INTERNAL_SERVICE_API_KEY: accepted.join(','), SOCKET_JWT_SECRET: tokenSecret };
    const spawned = await (role === 'api' ? world.ready(world.apiProcess(settings)) : world.workerProcess());
    started += 1;
    running[role].push(spawned);
    route();
    void spawned.exited.then((status) => {
      if (running[role].includes(spawned)) violations.push(`a deployed ${role} exited by itself: ${status}`);
    });
  }
  async function endOldest(role: Role): Promise<void> {
    const oldest = running[role].shift();
    route();
    oldest?.kill('SIGTERM');
    const status = await until(
      `a terminated ${role} to exit`,
      oldest?.exited ?? Promise.resolve(0),
      MAX_EXIT_MS,
    );
    if (status !== 0) violations.push(`a terminated ${role} exited with ${status}`);
  }
  async function deploy(): Promise<void> {
    for (const role of ROLES) {
      for (let left = running[role].length; left > 0; left -= 1) {
        await start(role);
        await endOldest(role);
      }
    }
  }
  const eachRole = async (act: (role: Role) => Promise<void>) => {
    for (const role of ROLES) await act(role);
  };

  await eachRole(start);
  return {
    url: balancer.url,
    key: () => key,
    token: (companyId) => signToken(tokenSecret, companyId, '12h'),
    deploy,
    scaleUp: () => eachRole(start),
    scaleDown: () => eachRole(endOldest),
    async rotate() {
      const [old, next] = [{ key, token: await signToken(tokenSecret, newId(), '1h') }, newSecret()];
      accepted = [old.key, next];
      tokenSecret = newSecret();
      await deploy();
      key = next;
      accepted = [next];
      await deploy();
      violations.push(...(await acceptedAfterRemoval(balancer.url, old)));
    },
    get started() {
      return started;
    },
    violations,
  };
}

const newId = (): string => randomBytes(12).toString('hex');
const newSecret = (): string => randomBytes(24).toString('hex');

interface Secrets {
  key: string;
  token: string;
}

/** Violations: old secrets that an API accepts. */
async function acceptedAfterRemoval(url: string, { key, token }: Secrets): Promise<string[]> {
  const { status } = await fetch(`${url}/api/v1/internal/socket/batch`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': key },
    body: '{}',
  });
  const listed = await fetchAppointments({ url, token, from: new Date(), to: new Date() }).then(
    () => 200,
    (error: unknown) => (error as ListError).status,
  );
  return [
    ...(status === 403 ? [] : [`after its removal an API key is answered with ${status}`]),
    ...(listed === 401 ? [] : [`after its rotation a token is answered with ${String(listed)}`]),
  ];
}
