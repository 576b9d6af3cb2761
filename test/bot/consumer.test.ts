import { expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { buildPackages } from '../../scripts/build-packages.mjs';
import { temporaryDirectory } from './bot-world.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TSC = path.join(ROOT, 'node_modules/typescript/bin/tsc');
const run = promisify(execFile);

const BOT = `
import { createRealtimeAppointments, createToolHandlers, emitAppointmentCreated, type BookingService } from '@appointment-emissions/bot';
import { companyRoom } from '@appointment-emissions/contracts';

const lines: string[] = [];
const realtime = createRealtimeAppointments({ logger: { messageFlow: (level, message) => void lines.push(\`\${level} \${message}\`) } });
const accepted: boolean = await realtime.emitAppointmentCreated('65f000000000000000000001');
const bookings: BookingService = {
  book: () => Promise.reject(new Error('not here')),
  reschedule: () => Promise.reject(new Error('not here')),
  cancel: () => Promise.resolve({ outcome: 'unknown-appointment' }),
};
const tools = createToolHandlers({ bookings, realtime, logger: { messageFlow: () => undefined } });
const { ok } = await tools.handle('cancel_appointment', { appointmentId: '65f000000000000000000001' });
console.log(JSON.stringify({ accepted, lines, ok, ready: typeof emitAppointmentCreated, room: companyRoom('c') }));
`;

/** The packages as npm would publish them. */
async function pack(directory: string): Promise<string[]> {
  await buildPackages({ log: () => undefined });
  for (const name of ['contracts', 'bot']) {
    await run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', directory], {
      cwd: path.join(ROOT, 'packages', name),
    });
  }
  const packed = (await readdir(directory)).filter((name) => name.endsWith('.tgz'));
  return packed.map((name) => path.join(directory, name));
}

test('a project elsewhere installs the packed bot library, imports it, and type-checks', async () => {
  const directory = await temporaryDirectory();
  const [packageDir, project] = [path.join(directory, 'package'), path.join(directory, 'project')];
  await Promise.all([packageDir, project].map((made) => mkdir(made)));
  const tarballs = await pack(packageDir);

  await writeFile(path.join(project, 'package.json'), '{"private": true, "type": "module"}');
  await run(
    'npm',
    ['install', ...tarballs, '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'],
    {
      cwd: project,
    },
  );
  await writeFile(path.join(project, 'bot.ts'), BOT);
  const compilerOptions = { strict: true, module: 'NodeNext', lib: ['ES2022', 'DOM'], types: [] };
  await writeFile(
    path.join(project, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, files: ['bot.ts'] }),
  );
  // Node's own types are not there: the package's declarations must do without.
  await run(process.execPath, [TSC, '-p', project]).catch((error: unknown) => {
    throw new Error((error as { stdout: string }).stdout);
  });
  const { stdout } = await run(process.execPath, ['bot.js'], { cwd: project });
  expect(JSON.parse(stdout)).toEqual({
    accepted: false,
    lines: ['warn Failed to emit socket event'],
    ok: false,
    ready: 'function',
    room: 'company:c',
  });
}, 180_000);
