import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import {
  buildWheel,
  type ClientPython,
  ensureClientPython,
  PYTHON_CLIENT,
} from '../../scripts/services/python-client.ts';
import { childEnv } from '../harness/child-env.ts';
import { API_KEY, createWorld, type World } from '../harness/world.ts';
import { startControlledApi } from './controlled-api.ts';

const run = promisify(execFile);
const NEW_KEY = 'new-key-0123456789-0123456789-0123456789';
/** Installing packages from an index takes a while. */
const INSTALL_MS = 300_000;

let client: ClientPython;
let world: World;
let company: Awaited<ReturnType<World['documents']['company']>>;
let folder: string;
beforeAll(async () => {
  client = await ensureClientPython(() => undefined);
  world = await createWorld({ env: { RECONCILE_INTERVAL_MS: '0' } });
  world.worker();
  company = await world.documents.company();
  folder = await mkdtemp(path.join(tmpdir(), 'python-client-'));
}, INSTALL_MS);
afterAll(async () => {
  await world.close();
  await rm(folder, { recursive: true, force: true });
});

test('the tests of the Python client pass, including the tests against a real API', async () => {
  const appointments = [await company.appointment(), await company.appointment()];
  const api = await startControlledApi(world, NEW_KEY);
  const limited = await world.api({ MAX_REQUESTS_PER_SECOND: '1' });
  const facts = {
    ...api,
    limited: limited.url,
    key: API_KEY,
    new_key: NEW_KEY,
    company: company.companyId,
    appointments,
  };
  const env = childEnv({ ...client.env, EMISSIONS_WORLD: JSON.stringify(facts) });
  const pytest = run(client.python, ['-m', 'pytest', '-q', '--color=no'], { cwd: PYTHON_CLIENT, env });
  const { stdout } = await pytest.catch((error: unknown) => {
    throw new Error(`pytest failed:\n${(error as { stdout: string }).stdout}`, { cause: error });
  });
  expect(stdout).toMatch(/^\d{3} passed in /m);
  expect(stdout).not.toMatch(/skipped/);
}, 240_000);

test(
  'the wheel, installed in a new environment, announces a booking, and a dashboard shows it',
  async () => {
    await buildWheel(client, folder);
    const [wheel = ''] = (await readdir(folder)).filter((name) => name.endsWith('.whl'));
    const python = await makeEnvironment(path.join(folder, 'environment'), path.join(folder, wheel));
    const api = await world.ready(world.api());
    const dashboard = await world.dashboard(api, company.companyId);
    const appointmentId = await company.appointment();
    const { stdout } = await run(
      python,
      ['-c', `import appointment_emissions as bot; print(bot.emit_appointment_created("${appointmentId}"))`],
      {
        cwd: folder,
        env: childEnv({ BACKEND_API_URL: api.url, INTERNAL_SERVICE_API_KEY: API_KEY }),
      },
    );
    expect(stdout).toBe('True\n');
    const { payload } = await dashboard.receive(
      ({ event, payload: { appointment } }) =>
        event === 'appointment:created' && appointment._id === appointmentId,
    );
    expect(payload.appointment.petId?.name).toBe('Rex');
  },
  INSTALL_MS,
);

/** Makes a virtual environment, and installs the wheel and its dependencies as a user does. Returns its interpreter. */
async function makeEnvironment(directory: string, wheel: string): Promise<string> {
  const env = childEnv();
  await run('python3', ['-m', 'venv', directory], { env });
  const python = path.join(directory, 'bin', 'python3');
  await run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', wheel], { env });
  return python;
}
