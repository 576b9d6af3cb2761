import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { launchChromium } from '../harness/chromium.ts';
import { startScriptedServer } from '../dashboard/scripted-server.ts';
import { childEnv } from '../harness/child-env.ts';
import {
  LIBRARIES,
  packPackages,
  type PackageName,
  type PackedPackages,
  ROOT,
  TSC,
} from './packed-packages.ts';

const run = promisify(execFile);

const BOT = `
import { createRealtimeAppointments, createToolHandlers, emitAppointmentCreated, type BookingService } from '@appointment-emissions/bot';
import { companyRoom } from '@appointment-emissions/contracts';

async function main(): Promise<void> {
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
  // @ts-expect-error: without types everything is any, and this line has no error
  const notText: number = companyRoom('c');
  console.log(JSON.stringify({ accepted, lines, ok, ready: typeof emitAppointmentCreated, room: notText }));
}
void main();
`;
const DASHBOARD = `
import { connectDashboard } from '@appointment-emissions/dashboard';
import { connectDashboard as bundled } from '@appointment-emissions/dashboard/browser.js';

// @ts-expect-error: a dashboard needs options
export const wrong = () => [connectDashboard(), bundled()];
`;

let packages: PackedPackages;
beforeAll(async () => {
  packages = await packPackages();
}, 240_000);
afterAll(() => packages.remove());

const filesOf = (name: PackageName) => packages.files(name);

test.each(LIBRARIES)(
  'npm pack of the unbuilt package %s contains the files that its exports name, and no others',
  async (name) => {
    const manifest = await readFile(path.join(ROOT, 'packages', name, 'package.json'), 'utf8');
    const { exports, main, types } = JSON.parse(manifest) as Record<string, unknown>;
    const named =
      JSON.stringify([exports, main, types]).match(/(?<="\.\/)[\w./-]+\.(?:ts|js|json)(?=")/g) ?? [];
    // `./browser.js` is a subpath that exports offers, not a file.
    const targets = new Set(named.filter((file) => file !== 'browser.js'));
    expect(filesOf(name)).toEqual(expect.arrayContaining([...targets, 'README.md', 'LICENSE']));
    const others = filesOf(name).filter(
      (file) => !/^(?:(?:dist|src)\/|README\.md$|LICENSE$|package\.json$)/.test(file),
    );
    expect(others).toEqual([]);
  },
);

test('npm pack of the unbuilt server contains its two processes, its page and its Redis scripts', () => {
  expect(filesOf('server')).toEqual(
    expect.arrayContaining([
      'dist/src/api/main.js',
      'dist/workers/main.js',
      'dist/page/index.html',
      'dist/src/metrics/fleet/flush.lua',
      'README.md',
      'LICENSE',
    ]),
  );
});

/** Names of all installed packages, as `npm ls` lists them. */
async function installedPackages(project: string): Promise<string[]> {
  const { stdout } = await run('npm', ['ls', '--all', '--parseable'], { cwd: project, env: childEnv() });
  const folders = stdout.trim().split('\n').slice(1);
  return folders.map((folder) => path.relative(path.join(project, 'node_modules'), folder)).sort();
}

/** The same names, as docs/reference/packages.md has them. */
async function packagesOnPage(title: string): Promise<string[]> {
  const page = await readFile(path.join(ROOT, 'docs/reference/packages.md'), 'utf8');
  const [, section = ''] = page.split(`## ${title}\n`);
  return [...(section.split('## ')[0] ?? '').matchAll(/`(@?[a-z][\w./-]+)`/g)].map(([, name = '']) => name);
}

test('installing the bot library installs two packages', async () => {
  const project = await packages.install('module', ['contracts', 'bot']);
  const installed = await installedPackages(project);
  expect(installed).toEqual(['@appointment-emissions/bot', '@appointment-emissions/contracts']);
  expect(installed).toEqual(await packagesOnPage('A bot'));
}, 60_000);

test('installing the dashboard library installs two packages and the peer socket.io-client', async () => {
  const project = await packages.install('module', ['contracts', 'dashboard']);
  const installed = await installedPackages(project);
  const ofPeer = (name: string) =>
    /^(?:@socket\.io\/|engine\.io-|socket\.io-|debug$|ms$|ws$|xmlhttprequest-ssl$)/.test(name);
  expect(installed.filter((name) => !ofPeer(name))).toEqual([
    '@appointment-emissions/contracts',
    '@appointment-emissions/dashboard',
  ]);
  expect(installed).toContain('socket.io-client');
  expect(installed).toEqual(await packagesOnPage('A dashboard'));
}, 60_000);

test('installing the MCP server installs the SDK’s server and no web framework, and its command runs', async () => {
  const project = await packages.install('module', ['contracts', 'bot', 'mcp']);
  expect(await installedPackages(project)).toEqual([
    '@appointment-emissions/bot',
    '@appointment-emissions/contracts',
    '@appointment-emissions/mcp',
    '@modelcontextprotocol/core',
    '@modelcontextprotocol/server',
    'zod',
  ]);
  const command = path.join(project, 'node_modules/.bin/appointment-emissions-mcp');
  const { stdout } = await run(command, ['--help'], { cwd: project, env: childEnv() });
  expect(stdout).toContain('--calendar');
}, 60_000);

test('the one-file browser build connects a page that has no bundler', async () => {
  const project = await packages.install('module', ['contracts', 'dashboard']);
  const library = path.join(project, 'node_modules/@appointment-emissions/dashboard/dist/browser.js');
  const files: Record<string, [string, string]> = {
    '/': ['text/html', '<!doctype html><title>Page</title><script type="module" src="/page.js"></script>'],
    '/browser.js': ['text/javascript', await readFile(library, 'utf8')],
    '/page.js': [
      'text/javascript',
      `import { connectDashboard } from '/browser.js';
       const dashboard = connectDashboard({ url: '/', getToken: async () => 'token' });
       dashboard.on('state', (state) => { document.title = state; });`,
    ],
  };
  const server = await startScriptedServer((request, reply) => {
    const [type, body] = files[request.url ?? ''] ?? ['text/plain', ''];
    reply.writeHead(body === '' ? 404 : 200, { 'content-type': type }).end(body);
  });
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    await page.goto(server.url);
    const connection = await server.connection();
    expect(connection.auth).toEqual({ token: 'token', positions: true });
    connection.sendPosition({ epoch: 'e', offset: 1 });
    await page.waitForFunction('document.title === "live"');
  } finally {
    await browser.close();
    await server.close();
  }
}, 120_000);

/** Settings of TypeScript, and whether Node can run the result. */
const SETTINGS: [string, string, boolean][] = [
  ['commonjs', 'node10', true],
  ['commonjs', 'bundler', true],
  ['es2022', 'bundler', false],
  ['node16', 'node16', true],
  ['nodenext', 'nodenext', true],
];

describe.each(['commonjs', 'module'] as const)('in a project of type %s', (type) => {
  let project: string;
  beforeAll(async () => {
    project = await packages.install(type, LIBRARIES);
  }, 120_000);

  test.each(SETTINGS)(
    'module %s with moduleResolution %s: the types are found, and the program runs',
    async (module, moduleResolution, runs) => {
      await Promise.all([
        writeFile(path.join(project, 'bot.ts'), BOT),
        writeFile(path.join(project, 'dashboard.ts'), DASHBOARD),
      ]);
      const compilerOptions = {
        strict: true,
        skipDefaultLibCheck: true,
        target: 'es2022',
        lib: ['ES2022', 'DOM'],
        types: [],
        module,
        moduleResolution,
        ignoreDeprecations: '6.0',
      };
      const files = ['bot.ts', 'dashboard.ts'];
      await writeFile(path.join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
      // The project has no types of Node, so the declarations must not need them.
      await run(process.execPath, [TSC, '-p', project]).catch((error: unknown) => {
        throw new Error((error as { stdout: string }).stdout);
      });
      // In a package of type module, Node does not run compiled CommonJS.
      if (!runs || (type === 'module' && module === 'commonjs')) return;
      const { stdout } = await run(process.execPath, ['bot.js'], { cwd: project, env: childEnv() });
      expect(JSON.parse(stdout)).toEqual({
        accepted: false,
        lines: ['warn Failed to emit socket event'],
        ok: false,
        ready: 'function',
        room: 'company:c',
      });
    },
    60_000,
  );
});

test('a CommonJS program can require each package, without a warning', async () => {
  const project = await packages.install('commonjs', LIBRARIES);
  const names = [...LIBRARIES, 'dashboard/browser.js', 'bot/package.json'];
  const code = `for (const name of ${JSON.stringify(names)}) {
    console.log(name, Object.keys(require('@appointment-emissions/' + name)).length > 0);
  }`;
  const { stdout, stderr } = await run(process.execPath, ['-e', code], { cwd: project, env: childEnv() });
  expect([stdout, stderr]).toEqual([names.map((name) => `${name} true\n`).join(''), '']);
}, 60_000);
