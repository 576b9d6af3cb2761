import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { childEnv } from '../harness/child-env.ts';
import { createWorld, type World } from '../harness/world.ts';
import { LIBRARIES, packPackages, type PackedPackages, ROOT, TSC } from './packed-packages.ts';
import { COMMONJS, ES_MODULE, TYPESCRIPT } from './programs.ts';

/** Types, and optional peers of the dashboard's adapters, in the versions of this repository. */
const OTHERS = [
  '@reduxjs/toolkit',
  '@types/express',
  '@types/node',
  '@types/react',
  'react',
  'socket.io-client',
];
/** Its own declarations have errors with `exactOptionalPropertyTypes`, which `skipLibCheck` would hide. */
const BEYOND_STRICT = 'node_modules/@reduxjs/toolkit/';
const run = promisify(execFile);

let packages: PackedPackages;
/** A project with all packages. */
let project: string;
let world: World;
beforeAll(async () => {
  packages = await packPackages();
  const manifest = JSON.parse(await readFile(path.join(ROOT, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
    devDependencies: Record<string, string>;
  };
  const versions = { ...manifest.dependencies, ...manifest.devDependencies };
  const others = OTHERS.map((name) => `${name}@${versions[name]}`);
  project = await packages.install('module', [...LIBRARIES, 'server'], others);
  world = await createWorld({ env: { RECONCILE_INTERVAL_MS: '0' } });
}, 400_000);
afterAll(async () => {
  await world.close();
  await packages.remove();
}, 60_000);

test.each([
  ['ES modules', 'application.mjs', ES_MODULE],
  ['CommonJS', 'application.cjs', COMMONJS],
])(
  'a JavaScript project with %s: an application with server, bot and dashboard emits an event, and ends',
  async (_, file, program) => {
    const company = await world.documents.company();
    const appointmentId = await company.appointment();
    await writeFile(path.join(project, file), program);
    const { stdout } = await run(process.execPath, [file], {
      cwd: project,
      env: childEnv({ ...world.env, APPOINTMENT_ID: appointmentId, COMPANY_ID: company.companyId }),
      timeout: 60_000,
    });
    expect(JSON.parse(stdout)).toEqual({
      accepted: true,
      appointment: {
        _id: appointmentId,
        companyId: company.companyId,
        petId: { _id: company.pet._id.toHexString(), name: 'Rex' },
        start: expect.any(String),
        end: expect.any(String),
        status: 'scheduled',
        createdAt: expect.any(String),
        updatedAt: expect.any(String),
      },
    });
  },
  90_000,
);

test.each([
  ['nodenext', 'nodenext'],
  ['es2022', 'bundler'],
])(
  'a strict TypeScript project with module %s and moduleResolution %s finds the types of all packages',
  async (module, moduleResolution) => {
    const compilerOptions = {
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: false,
      verbatimModuleSyntax: true,
      noEmit: true,
      target: 'es2022',
      lib: ['ES2023', 'DOM', 'DOM.Iterable'],
      types: ['node'],
      module,
      moduleResolution,
    };
    await writeFile(path.join(project, 'strict.ts'), TYPESCRIPT);
    const tsconfig = JSON.stringify({ compilerOptions, files: ['strict.ts'] });
    await writeFile(path.join(project, 'tsconfig.json'), tsconfig);
    const { stdout } = await run(process.execPath, [TSC, '-p', project]).catch(
      (error: unknown) => error as { stdout: string },
    );
    const errors = stdout.split('\n').filter((line) => /\berror TS\d+/.test(line));
    expect(errors.filter((line) => !line.includes(BEYOND_STRICT))).toEqual([]);
  },
  120_000,
);
